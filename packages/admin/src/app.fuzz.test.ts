import { MemoryStore } from '@cless/store';
import { FakePlatform, fuzzRuns, fuzzSeed } from '@cless/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createApp } from './app.ts';

/*
 * Random requests, made from the OpenAPI document: whatever is asked, the answer is one that the document knows, and
 * never an internal error.
 */

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly examples?: readonly unknown[];
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } };
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const TOKEN = 'a-token-for-tests';
const RUNS = fuzzRuns(300);
const SEED = fuzzSeed(42);

/** Words with a meaning here, besides random ones. */
const WORDS = [
  'web',
  'shop',
  'web-00001',
  'shop-00002',
  'web:1',
  'broken:1',
  'web.example',
  '*.web.example',
  'canary',
  '5s',
  'never',
  '/data',
  'data',
  '256MiB',
];
const text = fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: 'binary' }), fc.string());

function arbitrary(schema: Schema, components: Readonly<Record<string, Schema>>): fc.Arbitrary<unknown> {
  const nonsense = fc.oneof(fc.anything({ maxDepth: 1 }).map(jsonable), text);
  return fc.oneof({ weight: 12, arbitrary: valid(schema, components) }, { weight: 1, arbitrary: nonsense });
}

function valid(schema: Schema, components: Readonly<Record<string, Schema>>): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined)
    return valid(components[schema.$ref.split('/').at(-1) ?? ''] ?? {}, components);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => valid(one, components)));
  switch (schema.type) {
    case 'string':
      return schema.examples === undefined ? text : fc.oneof(fc.constantFrom(...schema.examples), text);
    case 'integer':
    case 'number': {
      const { minimum: min = 0, maximum: max = 200 } = schema;
      return fc.oneof(
        fc.integer({ min: Math.ceil(min), max: Math.min(max, 2 ** 31) }),
        fc.double(),
        fc.constantFrom(100, 50, -1, 0),
      );
    }
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(arbitrary(schema.items ?? {}, components), { maxLength: 4 });
    case 'object': {
      const fields = Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, field]) => [name, arbitrary(field, components)]),
      );
      const known = fc.record(fields, { requiredKeys: [...(schema.required ?? [])] });
      if (typeof schema.additionalProperties !== 'object') return known;
      const more = fc.dictionary(
        fc.oneof(fc.constantFrom('A', 'B_2', 'canary'), text),
        arbitrary(schema.additionalProperties, components),
        { maxKeys: 4 },
      );
      return fc.tuple(known, more).map(([a, b]) => ({ ...b, ...a }));
    }
    default:
      return fc.anything({ maxDepth: 2 }).map(jsonable);
  }
}

/** As it would come over the network. */
function jsonable(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? 'null');
  } catch {
    return null;
  }
}

test('random requests get answers that the document knows, and no 5xx', { timeout: 300_000 }, async () => {
  const unexpected: unknown[] = [];
  const build = () => {
    const platform = new FakePlatform();
    const store = new MemoryStore();
    const app = createApp({
      store,
      platform,
      token: TOKEN,
      hosts: ['localhost'],
      openMetrics: false,
      onError: (error) => unexpected.push(error),
    });
    return { app, platform };
  };
  const environment = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
  const headers = { Host: 'localhost', Authorization: `Bearer ${TOKEN}` };
  const answer = await build().app.request('/openapi.json', { headers }, environment);
  const document = (await answer.json()) as Document;
  const components = document.components.schemas;

  const requests = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(() => path !== '/v1/events') // has no end
      .map(([method, operation]) => {
        const parameters = operation.parameters ?? [];
        const values = (where: string) =>
          fc.record(
            Object.fromEntries(
              parameters
                .filter((one) => one.in === where)
                .map(({ name, schema }) => [name, arbitrary(schema, components)]),
            ),
            {
              requiredKeys:
                where === 'path' ? parameters.filter((one) => one.in === 'path').map(({ name }) => name) : [],
            },
          );
        const body = operation.requestBody?.content['application/json'].schema;
        return fc.record({
          method: fc.constant(method.toUpperCase()),
          path: fc.constant(path),
          responses: fc.constant(Object.keys(operation.responses)),
          inPath: values('path'),
          inQuery: values('query'),
          body: body === undefined ? fc.constant(undefined) : arbitrary(body, components),
          etag: fc.option(fc.constantFrom('"1"', '"2"', '*', 'W/"3"', 'x'), { nil: undefined, freq: 4 }),
        });
      }),
  );

  const answered = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(...requests), { minLength: 1, maxLength: 12 }), async (story) => {
      const { app } = build();
      await app.request(
        '/v1/services/web',
        { method: 'PUT', headers: { ...headers, 'Content-Type': 'application/json' }, body: '{}' },
        environment,
      );
      for (const { method, path, responses, inPath, inQuery, body, etag } of story) {
        const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => encode(inPath[name]));
        const query = new URLSearchParams(
          Object.entries(inQuery).map(([name, value]): [string, string] => [name, String(value)]),
        );
        query.delete('follow'); // has no end
        const response = await app.request(
          `http://localhost${filled}?${query}`,
          {
            method,
            headers: {
              ...headers,
              ...(body !== undefined && { 'Content-Type': 'application/json' }),
              ...(etag !== undefined && { 'If-Match': etag }),
            },
            ...(body !== undefined && { body: JSON.stringify(body) ?? 'null' }),
          },
          environment,
        );
        const content = await response.text();
        answered.set(response.status, (answered.get(response.status) ?? 0) + 1);
        expect(unexpected).toEqual([]);
        // An empty name leads to another path.
        if (/\/\/|\/$/.test(filled)) continue;
        expect(responses, `${method} ${filled}?${query} ${response.status} ${content}`).toContain(
          String(response.status),
        );
        if (response.status >= 400)
          expect(JSON.parse(content)).toMatchObject({ status: response.status, detail: expect.any(String) });
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
  // Not only refusals, given enough of them.
  if (RUNS < 300) return;
  for (const status of [200, 201, 204, 400, 404])
    expect(answered.get(status), String(status)).toBeGreaterThan(0);
});

/** A segment of a path: `.` and `..` would be another path. */
function encode(value: unknown): string {
  const encoded = encodeURIComponent(String(value).replaceAll(/[\ud800-\udfff]/g, '?'));
  return /^\.{1,2}$/.test(encoded) ? 'dots' : encoded;
}
