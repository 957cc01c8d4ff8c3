import { Failure } from '@cless/model';
import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { Problem, RevisionName, ServiceName } from '../schemas.ts';
import { invalid } from './invalid.ts';

/** Fields of the path or the query: the schemas parse them from text. */
type Fields = Record<string, z.ZodType>;

/** One operation of the API: its description and its handler. */
export interface Route<P extends Fields, Q extends Fields, B extends z.ZodType | undefined> {
  readonly method: 'get' | 'put' | 'post' | 'delete';
  /** As in OpenAPI: `/v1/services/{service}`. */
  readonly path: string;
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: B;
  /** Successful answers, by status. */
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema?: z.ZodType; readonly type?: string }>
  >;
  /** Statuses of problems besides those that every operation has. */
  readonly problems?: readonly number[];
  /** Needs no token on this host. */
  readonly open?: boolean;
  readonly handle: (
    request: {
      readonly params: { [K in keyof P]: z.infer<P[K]> };
      readonly query: { [K in keyof Q]: z.infer<Q[K]> };
      readonly body: B extends z.ZodType ? z.infer<B> : undefined;
    },
    context: Context,
  ) => Response | Promise<Response>;
}

const WHY: Readonly<Record<number, string>> = {
  400: 'Something is wrong with the request; `errors` says where, and what is allowed.',
  401: 'The token is missing or wrong.',
  403: 'The host or the origin is not allowed.',
  404: 'There is none.',
  409: 'It does not go together with what there is.',
  412: 'It was changed meanwhile.',
  413: 'The body is too large.',
  415: 'The body is not application/json.',
  422: 'It is understood, but cannot be done.',
  503: 'The runtime cannot be reached, the database is locked or cannot be written, or the proxy ends.',
  507: 'The disk is full.',
};

export const SERVICE = { service: ServiceName };
export const REVISION = { service: ServiceName, revision: RevisionName };

/** Adds an operation. Requests are validated by the same schemas that describe it. */
export function route<
  P extends Fields = Record<never, never>,
  Q extends Fields = Record<never, never>,
  B extends z.ZodType | undefined = undefined,
>(app: OpenAPIHono, definition: Route<P, Q, B>): void {
  const { method, path, handle } = definition;
  const params = z.strictObject(definition.params ?? {});
  const query = z.strictObject(definition.query ?? {});
  app.openAPIRegistry.registerPath(describe(definition));
  app.on(method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ':$1'), async (context) => {
    const given = {
      params: parse(params, context.req.param(), 'path'),
      query: parse(query, singleValues(context), 'query'),
      body:
        definition.body === undefined ? undefined : parse(definition.body, await readJson(context), 'body'),
    };
    return handle(given as Parameters<typeof handle>[0], context);
  });
}

function describe(definition: Omit<Route<Fields, Fields, z.ZodType | undefined>, 'handle'>) {
  const {
    method,
    path,
    id,
    tag,
    summary,
    description,
    params,
    query,
    headers = {},
    body,
    answers,
    open,
  } = definition;
  const wrong = [
    400,
    ...(open ? [] : [401]),
    403,
    ...(body === undefined ? [] : [413, 415]),
    ...(method === 'get' ? [] : [503, 507]),
    ...(definition.problems ?? []),
  ];
  return {
    method,
    path,
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(open && { security: [] }),
    request: {
      ...(params !== undefined && { params: z.object(params) }),
      ...(query !== undefined && { query: z.object(query) }),
      ...(Object.keys(headers).length > 0 && {
        headers: z.object(
          Object.fromEntries(
            Object.entries(headers).map(([name, what]) => [
              name,
              z.string().optional().meta({ description: what }),
            ]),
          ),
        ),
      }),
      ...(body !== undefined && {
        body: { content: { 'application/json': { schema: body } }, required: true },
      }),
    },
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, { description: what, schema, type = 'application/json' }]) => [
          status,
          { description: what, ...(schema !== undefined && { content: { [type]: { schema } } }) },
        ]),
      ),
      ...Object.fromEntries(
        wrong.map((status) => [
          status,
          { description: WHY[status] ?? '', content: { 'application/problem+json': { schema: Problem } } },
        ]),
      ),
    },
  };
}

function parse<T extends z.ZodType>(schema: T, value: unknown, where: 'body' | 'query' | 'path'): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalid(parsed.error, schema, where);
  return parsed.data;
}

async function readJson({ req }: Context): Promise<unknown> {
  const text = await req.text();
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof SyntaxError ? error.message : String(error);
    throw new Failure('INVALID_REQUEST', `The body is not JSON: ${why}.`, {
      errors: [{ pointer: '#', detail: 'allowed is JSON' }],
    });
  }
}

function singleValues({ req }: Context): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, all] of Object.entries(req.queries())) {
    if (all.length > 1) throw new Failure('INVALID_REQUEST', `The query has ${name} more than once.`);
    values[name] = all[0] ?? '';
  }
  return values;
}
