import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readServiceFile, serviceFileSchema } from './service-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'cless-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['hosts: [web.example]', ['1: services: is missing', '1: hosts: there is no such field']],
  ['service:\n  web: {image: a}', ['2: service: there is no such field; did you mean services?']],
  ['services: web', ['1: services: has to be fields with their values']],
  [
    'services: {web: {image: a, hosts: web.example}}',
    ['1: services.web.hosts: has to be a list, like [web.example]'],
  ],
  [
    'services:\n  web:\n    image: a\n    env: [A=b]',
    ['4: services.web.env: has to be fields with their values'],
  ],
  ['services: {web: {image: 5}}', ['1: services.web.image: has to be a text, like "5"']],
  ['services: {web: {image: a, port: "80"}}', ['1: services.web.port: has to be a number']],
  ['services: {web: {image: a, sticky: 1}}', ['1: services.web.sticky: has to be true or false']],
  ['services: {web: {port: 80}}', ['1: services.web.image: is missing']],
  ['', ['1: the file: has to be fields with their values']],
])('what is wrong with %j is said in words of the file', async (text, wrong) => {
  const file = join(folder, 'cless.yaml');
  writeFileSync(file, text);
  const reading = readServiceFile(file, { env: {}, signal: new AbortController().signal });
  const { code, message } = await reading.then(
    () => ({ code: undefined, message: '' }),
    (error) => error,
  );
  expect(code).toBe('USAGE');
  for (const one of wrong) expect(message.split('\n')).toContain(`${file}:${one}`);
});

test('the published JSON Schema is the one that validates (`vitest -u` writes it anew)', async () => {
  await expect(`${JSON.stringify(serviceFileSchema(), null, 2)}\n`).toMatchFileSnapshot(
    '../../cless.schema.json',
  );
  const schema = JSON.parse(readFileSync(new URL('../../cless.schema.json', import.meta.url), 'utf8'));
  expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
  expect(schema.properties.services.additionalProperties.properties.image.description).toMatch(
    'An image on the host',
  );
});
