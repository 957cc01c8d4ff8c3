import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { ChunkedBody, MeasuredBody, UnmeasuredBody } from './answer-body.ts';
import { ClientWriter } from './client-writer.ts';

function start() {
  let text = '';
  const out = new ClientWriter(
    new Writable({
      write: (chunk: Buffer, _, done) => {
        text += chunk.toString('latin1');
        done();
      },
    }),
    () => {},
  );
  const written = () => {
    out.flush();
    return text;
  };
  return { out, written };
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

test('a measured body ends where its head has said', () => {
  const { out, written } = start();
  const body = new MeasuredBody(out, 5);
  expect([body.pass(bytes('hel'), false), body.ended, body.finish()]).toEqual([3, false, false]);
  expect([body.pass(bytes('lo, world'), false), body.ended, body.finish()]).toEqual([2, true, false]);
  expect(written()).toBe('hello');
});

test('an unmeasured body is given in chunks, and is whole when the instance ends it', () => {
  const { out, written } = start();
  const body = new UnmeasuredBody(out);
  expect(body.pass(bytes(''), false)).toBe(0);
  expect(written()).toBe('');
  expect([body.pass(bytes('hello, world, hello'), false), body.ended]).toEqual([19, false]);
  expect([body.finish(), body.ended]).toEqual([true, true]);
  expect(written()).toBe('13\r\nhello, world, hello\r\n0\r\n\r\n');
});

test.each([1, 3, 7, 1_000])(
  'a body in chunks is given in chunks, however it comes (%i bytes at once)',
  (size) => {
    const { out, written } = start();
    const body = new ChunkedBody(out);
    const text = '5;a=b\r\nhello\r\n0007\r\n, world\r\n0\r\n\r\n';
    let used = 0;
    for (let at = 0; at < text.length; at += size) used += body.pass(bytes(text.slice(at, at + size)), false);
    expect([used, body.ended, body.finish()]).toEqual([text.length, true, false]);
    const data = [...written().matchAll(/([0-9a-f]+)\r\n([^\r]*)\r\n/g)].map(([, length, part = '']) => {
      expect(Number.parseInt(length ?? '', 16)).toBe(part.length);
      return part;
    });
    expect(data.join('')).toBe('hello, world');
    expect(written()).not.toContain('a=b');
  },
);

test('what follows a body in chunks is not its own', () => {
  const body = new ChunkedBody(start().out);
  expect(body.pass(bytes('0\r\n\r\nHTTP/1.1 200 OK'), false)).toBe(5);
});

test('trailers are passed on, but for those that may not be', () => {
  const { out, written } = start();
  const body = new ChunkedBody(out);
  body.pass(
    bytes('0\r\nX-Sum:\t1\r\nSet-Cookie: a=b\r\nX-Bytes: \xe9\xa0\r\nConnection: close\r\n\r\n'),
    false,
  );
  expect(written()).toBe('0\r\nX-Sum: 1\r\nX-Bytes: \xe9\xa0\r\n\r\n');
});

test.each(['Content-Length: 5', 'transfer-encoding: chunked'])(
  '%s among the trailers comes too late',
  (trailer) => {
    expect(new ChunkedBody(start().out).pass(bytes(`0\r\n${trailer}\r\n\r\n`), false)).toBe(-1);
  },
);

test('what are no chunks is not valid', () => {
  expect(new ChunkedBody(start().out).pass(bytes('hello'), false)).toBe(-1);
});
