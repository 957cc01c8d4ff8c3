import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Outgoing } from '../exchange/outgoing.ts';
import { FakeEdge } from './fake-edge.ts';

let edge: FakeEdge | undefined;
afterEach(() => edge?.close());

/** The bytes a client receives for what is written. */
async function written(
  write: (outgoing: Outgoing) => void,
  { request = 'GET / HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\n\r\n' } = {},
): Promise<{ text: string; code: string | undefined }> {
  edge = await FakeEdge.start({
    forward: ({ outgoing }, settled) => {
      write(outgoing);
      settled();
      return { abort: () => {} };
    },
  });
  const socket = connect(edge.port, '127.0.0.1');
  let code: string | undefined;
  let text = '';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.write(request);
  await once(socket, 'close').catch(() => {});
  return { text, code };
}

const OLD = { request: 'GET / HTTP/1.0\r\nHost: web.test\r\n\r\n' };
const HEAD = { request: 'HEAD / HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\n\r\n' };

describe('what is known of an answer', () => {
  test('before and after its head', async () => {
    const seen: unknown[] = [];
    await written((outgoing) => {
      seen.push(outgoing.status, outgoing.header('x-a'), outgoing.takesTrailers);
      outgoing.sendHead(201, 'Made', ['X-A', '1', 'x-a', '2', 'Content-Length', '0']);
      seen.push(outgoing.status, outgoing.header('x-a'), outgoing.header('x-b'), outgoing.writableEnded);
      outgoing.end();
      seen.push(outgoing.writableEnded);
    });
    expect(seen).toEqual([undefined, undefined, true, 201, '1, 2', undefined, false, true]);
  });

  test.each([OLD, HEAD])('who takes no trailers: %j', async (options) => {
    let takes = true;
    await written((outgoing) => {
      takes = outgoing.takesTrailers;
      outgoing.sendHead(200, undefined, ['Content-Length', '0']);
      outgoing.end();
    }, options);
    expect(takes).toBe(false);
  });
});

test('bytes stay as they are, in a small body that goes with the head and in a large one', async () => {
  for (const length of [256, 100_000]) {
    const body = Buffer.from(Array.from({ length }, (_, i) => i % 256));
    const { text } = await written((outgoing) => {
      outgoing.sendHead(200, undefined, ['Content-Length', String(length), 'X-Latin', 'é']);
      outgoing.endWith(body);
    });
    expect(text.split('\r\n\r\n').slice(1).join('\r\n\r\n')).toBe(body.toString('latin1'));
    expect(text).toContain('X-Latin: é\r\n');
  }
});

test('hints come before the head, but not to HTTP/1.0', async () => {
  const write = (outgoing: Outgoing) => {
    outgoing.writeHints(['Link', '<a b>', 'X-A', '1']);
    outgoing.sendHead(200, undefined, ['Content-Length', '0']);
    outgoing.end();
  };
  const { text } = await written(write);
  expect(text).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <a b>\r\nX-A: 1\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  await edge?.close();
  expect((await written(write, OLD)).text).toMatch(/^HTTP\/1\.1 200/);
});

test('a head can be sent before the body, and trailers after it', async () => {
  const { text } = await written((outgoing) => {
    outgoing.sendHead(200, undefined, ['Trailer', 'X-Sum']);
    outgoing.flushHead();
    outgoing.write(Buffer.from('a'));
    outgoing.sendTrailers(['X-Sum', '1']);
    outgoing.end();
  });
  expect(text).toMatch(/\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n$/);
});

test.each([
  ['1.1', undefined, { request: OLD.request.replace('1.0', '1.1') }],
  ['1.0', 'ECONNRESET', OLD],
])('what is broken off cannot pass for the whole: HTTP/%s', async (_, code, options) => {
  const broken = await written((outgoing) => {
    outgoing.sendHead(200, undefined, []);
    outgoing.write(Buffer.from('half'));
    setImmediate(() => outgoing.breakOff());
  }, options);
  expect(broken.text).not.toContain('0\r\n\r\n');
  expect(broken.code).toBe(code);
});

test('the connection closes after the last answer, which says so', async () => {
  const { text } = await written(
    (outgoing) => {
      outgoing.closeAfterwards();
      outgoing.sendHead(200, undefined, ['Content-Length', '0']);
      outgoing.end();
    },
    { request: 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n'.repeat(2) },
  );
  expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(1);
  expect(text).toContain('Connection: close\r\n');
});
