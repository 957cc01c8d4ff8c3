import { Failure } from '@cless/model';
import { z } from '@hono/zod-openapi';
import { stream } from 'hono/streaming';
import type { StreamingApi } from 'hono/utils/stream';
import type { Api } from '../api.ts';
import { notFound } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { RunningInstance } from '../platform.ts';
import { Instance, LOG_BROKE_OFF, ServiceName } from '../schemas.ts';
import { flag } from './query.ts';

const INSTANCE = { instance: z.string().regex(/^[\w.-]{1,100}$/, 'allowed is an id, or its beginning') };

/** Adds the routes for instances. */
export function instanceRoutes({ app, platform, closing }: Api): void {
  const tag = 'instances';
  /** Finds an instance by its id or by a unique prefix of it. */
  const find = async (id: string): Promise<RunningInstance> => {
    const found = (await platform.instances()).filter((instance) => instance.id.startsWith(id));
    const [first] = found;
    const exact = found.find((instance) => instance.id === id);
    if (exact !== undefined) return exact;
    if (found.length > 1)
      throw new Failure('AMBIGUOUS', `${found.length} instances have ids that begin with ${id}.`);
    if (first === undefined) throw notFound('instance', id);
    return first;
  };

  route(app, {
    method: 'get',
    path: '/v1/instances',
    id: 'listInstances',
    tag,
    summary: 'Lists instances.',
    query: { service: ServiceName.optional().meta({ description: 'Those of this service only.' }) },
    answers: {
      200: {
        description: 'All of them.',
        schema: z.object({ items: z.array(Instance) }).meta({ id: 'InstanceList' }),
      },
    },
    handle: async ({ query }, context) => {
      const items = (await platform.instances()).filter(
        ({ service }) => query.service === undefined || service === query.service,
      );
      return context.json({ items });
    },
  });

  route(app, {
    method: 'delete',
    path: '/v1/instances/{instance}',
    id: 'stopInstance',
    tag,
    summary: 'Stops an instance as soon as it is not in use; the next request starts another.',
    params: INSTANCE,
    answers: { 202: { description: 'It stops, or will.' } },
    problems: [404, 409],
    handle: async ({ params }, context) => {
      const { id } = await find(params.instance);
      if (!platform.stop(id)) throw notFound('instance', params.instance);
      return context.body(null, 202);
    },
  });

  route(app, {
    method: 'get',
    path: '/v1/instances/{instance}/logs',
    id: 'getLogs',
    tag,
    summary: 'Gives what an instance has written, as lines of text.',
    params: INSTANCE,
    query: {
      lines: z.coerce
        .number()
        .pipe(z.int().min(0).max(100_000))
        .default(100)
        .meta({ description: 'At most so many of the last lines.' }),
      follow: flag.meta({ description: 'Go on with what it writes from then on?' }),
    },
    answers: { 200: { description: 'Lines.', schema: z.string(), type: 'text/plain' } },
    problems: [404, 409, 503],
    handle: async ({ params, query }, context) => {
      const { id } = await find(params.instance);
      const left = new AbortController();
      const signal = AbortSignal.any([left.signal, closing]);
      const lines = platform.logs(id, { ...query, signal })[Symbol.asyncIterator]();
      // Read the first line before the head is sent, so that a failure gets its own status.
      let next: IteratorResult<string> | undefined = query.follow ? undefined : await lines.next();
      context.header('Content-Type', 'text/plain; charset=utf-8');
      const copy = async (output: StreamingApi) => {
        output.onAbort(() => left.abort());
        next ??= await lines.next();
        while (!next.done && !output.aborted) {
          await output.write(`${next.value}\n`);
          next = await lines.next();
        }
        left.abort();
      };
      // The head has been sent, so later errors can only be reported as a last line.
      return stream(context, copy, async ({ message }, output) => {
        left.abort();
        await output.write(`${LOG_BROKE_OFF}${message}\n`);
      });
    },
  });
}
