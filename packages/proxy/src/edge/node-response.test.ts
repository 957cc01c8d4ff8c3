import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendRaw } from '@cless/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { breakOff, endWith, flushHead, sendTrailers, valueIn, writeHints } from './node-response.ts';

let server: Server;
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((_, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

/** What a client gets of an answer, until the connection ends. */
async function get(version: '1.0' | '1.1', respond: (response: ServerResponse) => void): Promise<string> {
  answer = respond;
  const { port } = server.address() as AddressInfo;
  const { text } = await sendRaw(port, `GET / HTTP/${version}\r\nHost: a\r\nConnection: close\r\n\r\n`);
  return text;
}

test('a header has its values in one, whatever its case', () => {
  const head = ['Vary', 'a', 'X', 'vary', 'VARY', 'b'];
  expect(valueIn(head, 'vary')).toBe('a, b');
  expect(valueIn(head, 'x')).toBe('vary');
  expect(valueIn(head, 'a')).toBeUndefined();
});

test('hints come before the answer, byte for byte, where there are any such', async () => {
  const respond = (response: ServerResponse) => {
    writeHints(response, ['Link', '</ü.css>; rel=preload']);
    response.end('ok');
  };
  expect(await get('1.1', respond)).toMatch(
    /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/ü\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 /,
  );
  expect(await get('1.0', respond)).toMatch(/^HTTP\/1\.1 200 /);
});

test('a head can come before its body, and bytes stay what they are', async () => {
  const text = await get('1.1', (response) => {
    response.writeHead(200, { 'X-Name': 'gr\xfc\xdfe' });
    flushHead(response);
    setImmediate(() => response.end('late'));
  });
  expect(text).toContain('X-Name: gr\xfc\xdfe\r\n');
  expect(text).toContain('late');
});

test('to one that has ended nothing is done', async () => {
  const text = await get('1.1', (response) => {
    response.end('ok');
    flushHead(response);
  });
  expect(text).toMatch(/^HTTP\/1\.1 200 [\s\S]*ok$/);
});

test.each([1, 16 * 1024, 16 * 1024 + 1])('a body of %d bytes is whole', async (length) => {
  const body = Buffer.alloc(length, 0xff);
  const text = await get('1.1', (response) => {
    response.setHeader('Content-Length', length);
    endWith(response, body);
  });
  expect(text.endsWith(`\r\n\r\n${body.toString('latin1')}`)).toBe(true);
});

test('trailers stand behind the last chunk, each as often as it came', async () => {
  const text = await get('1.1', (response) => {
    response.writeHead(200, { Trailer: 'A, B' });
    response.write('x');
    sendTrailers(response, ['A', '1', 'B', '2', 'A', '3']);
    response.end();
  });
  expect(text).toMatch(/\r\n0\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n$/);
});

test.each(['1.0', '1.1'] as const)('one that is broken off never looks whole: HTTP/%s', async (version) => {
  const text = await get(version, (response) => {
    response.write('half');
    setImmediate(() => breakOff(response));
  });
  expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
});
