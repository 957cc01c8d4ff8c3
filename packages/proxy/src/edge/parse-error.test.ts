import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { codeOf } from '@cless/model';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { explainParseError, type ParseError, wasHead } from './parse-error.ts';

const LIMITS = { maxTargetBytes: 100, maxHeaderBytes: 200, maxHeaderCount: 10, maxBodyBytes: 100 };

// The messages of Node's own parser, which may change.
const server = createServer((_, response) => response.end());

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterAll(() => server.close());

async function errorOf(bytes: string): Promise<ParseError> {
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const told = once(server, 'clientError');
  client.write(bytes, 'latin1');
  const [error, socket] = await told;
  socket.destroy();
  client.destroy();
  return error;
}

test.each([
  ['HTTP/1.2', 'HTTP_VERSION'],
  ['HTTP/3.0', 'HTTP_VERSION'],
  ['HTTP/1.10', 'BAD_REQUEST'],
  ['HTTP/01.1', 'BAD_REQUEST'],
  ['HTTP/2', 'BAD_REQUEST'],
  ['HTTP/x', 'BAD_REQUEST'],
  ['http/1.1', 'BAD_REQUEST'],
])('a request of %s is %s', async (version, code) => {
  const error = await errorOf(`GET / ${version}\r\nHost: raw.test\r\n\r\n`);
  expect(codeOf(explainParseError(error, LIMITS))).toBe(code);
});

test.each([
  ['a header that is none', 'HEAD / HTTP/1.1\r\nBad Name: x\r\n\r\n', true],
  ['a target that is none', 'HEAD /\x01 HTTP/1.1\r\nHost: a\r\n\r\n', true],
  ['a version that is none', 'HEAD / HTTP/x\r\nHost: a\r\n\r\n', true],
  ['no version', 'HEAD /a b\r\n\r\n', true],
  ['behind a GET', 'GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD /\x01 HTTP/1.1\r\n\r\n', true],
  ['a GET', 'GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n', false],
  ['a GET behind a HEAD', 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /\x01 HTTP/1.1\r\n\r\n', false],
])('was it a HEAD? %s', async (_, bytes, expected) => {
  expect(wasHead(await errorOf(bytes))).toBe(expected);
});
