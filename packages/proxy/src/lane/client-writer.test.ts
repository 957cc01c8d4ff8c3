import { Writable } from 'node:stream';
import { settle } from '@cless/testkit';
import { expect, test, vi } from 'vitest';
import { ClientWriter } from './client-writer.ts';

const LARGE = 20 * 1024;

/** A connection that counts the calls of the system, and is slow if it is told. */
class FakeConnection extends Writable {
  readonly calls: string[] = [];
  isSlow = false;
  /** Goes on with what is slow. */
  done = () => {};

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.calls.push(chunk.toString('latin1'));
    this.done = done;
    if (!this.isSlow) done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.calls.push(chunks.map(({ chunk }) => chunk.toString('latin1')).join(''));
    if (!this.isSlow) done();
  }
}

function start() {
  const connection = new FakeConnection();
  const flushed = vi.fn();
  return { connection, flushed, writer: new ClientWriter(connection, flushed) };
}

test('what is little is one write, of bytes as they are', () => {
  const { connection, writer } = start();
  writer.text('head\r\n\r\n');
  writer.bytes(Buffer.from('\xe9\0\xff', 'latin1'), false);
  expect(connection.calls).toEqual([]);
  expect(writer.flush()).toBe(false);
  expect(connection.calls).toEqual(['head\r\n\r\n\xe9\0\xff']);
});

test('what is much is one write, too', () => {
  const { connection, writer } = start();
  writer.text('5000\r\n');
  writer.bytes(Buffer.alloc(LARGE, 'x'), false);
  writer.text('\r\n');
  writer.flush();
  expect(connection.calls).toEqual([`5000\r\n${'x'.repeat(LARGE)}\r\n`]);
});

test('nothing is no write', () => {
  const { connection, writer } = start();
  expect(writer.flush()).toBe(false);
  expect(connection.calls).toEqual([]);
});

test('bytes whose buffer is used again are copied', () => {
  const { connection, writer } = start();
  const buffer = Buffer.alloc(LARGE, 'x');
  writer.text('a');
  writer.bytes(buffer, false);
  buffer.fill('y');
  expect(writer.flush()).toBe(false);
  expect(connection.calls).toEqual([`a${'x'.repeat(LARGE)}`]);
});

test.each([
  [true, true],
  [false, false],
])(
  'lasting bytes are not, and their buffer is free once they have been sent: while slow (%s) kept (%s)',
  (slow, kept) => {
    const { connection, writer } = start();
    connection.isSlow = slow;
    writer.bytes(Buffer.alloc(LARGE, 'x'), true);
    expect(writer.flush()).toBe(kept);
    writer.text('next');
    expect(writer.flush()).toBe(false);
  },
);

test('when lasting bytes have been sent after all, it says so', async () => {
  const { connection, writer, flushed } = start();
  connection.isSlow = true;
  writer.bytes(Buffer.alloc(LARGE, 'x'), true);
  writer.flush();
  await settle();
  expect(flushed).not.toHaveBeenCalled();
  connection.done();
  await settle();
  expect(flushed).toHaveBeenCalledOnce();
});
