import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { serviceFileSchema } from './service-file.ts';

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
