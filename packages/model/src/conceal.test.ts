import { expect, test } from 'vitest';
import { conceal } from './conceal.ts';

const PEM = `-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASC
bKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj
Mzc=
-----END PRIVATE KEY-----
`;
const JSON_KEY = JSON.stringify({ type: 'service_account', private_key: PEM }, null, 2);

test.each([
  ['token=hunter22, again: hunter22', ['hunter22'], 'token=[secret], again: [secret]'],
  ['nothing here', ['hunter22'], 'nothing here'],
  ['1 of 10', ['1', '', 'abc'], '1 of 10'],
  // Special characters in a value do not matter.
  ['a.*b and a..b', ['a.*b'], '[secret] and a..b'],
  ['$&$1', ['$&$1'], '[secret]'],
  // One that begins or ends another, or overlaps it.
  ['key hunter22-more', ['hunter22', 'hunter22-more'], 'key [secret]'],
  ['key hunter22-more', ['hunter22-more', 'hunter22'], 'key [secret]'],
  ['abcd1234efgh', ['abcd1234', '1234efgh'], '[secret]'],
  ['aaaaaa', ['aaaa'], '[secret]'],
  ['abcdefgh', ['abcd', 'efgh'], '[secret]'],
  ['hunter22', ['hunter22', 'secret'], '[secret]'],
])('%j without %j', (text, secrets, expected) => {
  expect(conceal(text, secrets)).toBe(expected);
});

test('a secret of several lines is found line by line, too', () => {
  for (const line of PEM.trim().split('\n')) expect(conceal(`key: ${line}\r`, [PEM])).toBe('key: [secret]\r');
  expect(conceal(PEM, [PEM])).toBe('[secret]');
  expect(conceal(PEM.replaceAll('\n', '\r\n'), [PEM])).not.toMatch(/MII|bKc|Mzc/);
});

test('and as a value in JSON', () => {
  expect(conceal(JSON.stringify({ key: PEM }), [PEM])).toBe('{"key":"[secret]"}');
  for (const line of JSON.stringify(JSON.parse(JSON_KEY)).split(','))
    expect(conceal(line, [PEM])).not.toContain('MII');
  for (const line of JSON_KEY.split('\n')) expect(conceal(`> ${line}`, [JSON_KEY])).not.toContain('account"');
  expect(conceal(JSON.stringify(JSON_KEY), [JSON_KEY])).toBe('"[secret]"');
});
