import { expect, test } from 'vitest';
import { readerPage } from './reader.ts';

const page = String(
  await readerPage({
    info: { title: 'An API', version: '1.2.3' },
    paths: {
      '/v1/things/{name}': {
        get: {
          summary: 'One <thing>',
          parameters: [
            { name: 'name', in: 'path', required: true, description: 'which' },
            { name: 'deep', in: 'query' },
          ],
          responses: { 200: { description: 'It is there.' }, 404: {} },
        },
        put: {
          requestBody: {
            content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } },
          },
        },
      },
    },
    components: { schemas: { Thing: { type: 'string', pattern: '<&>' } } },
  }),
);

test('each operation is there, with what it takes and what it answers', () => {
  expect(page).toContain('<h2>GET /v1/things/{name}</h2>');
  expect(page).toContain('<code>name</code><td>path, required<td>which');
  expect(page).toContain('<code>deep</code><td>query<td>');
  expect(page).toContain('<code>200</code><td>It is there.');
  expect(page).toContain('<h2>PUT /v1/things/{name}</h2>');
});

test('a schema leads to the schemas that it names', () => {
  expect(page).toContain('<a href="#Thing">"Thing"</a>');
  expect(page).toContain('<h2 id="Thing">Thing</h2>');
});

test('what is told is text, and nothing of it runs', () => {
  expect(page).toContain('One &lt;thing&gt;');
  expect(page).toContain('&#60;&#38;&#62;');
  expect(page).not.toMatch(/<script|javascript:/);
});

test('a document without anything is a page, too', async () => {
  expect(String(await readerPage({ info: { title: 'Empty', version: '0' } }))).toContain('<h1>Schemas</h1>');
});
