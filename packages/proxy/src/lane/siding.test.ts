import { Socket } from 'node:net';
import { settle } from '@cless/testkit';
import { beforeEach, expect, test } from 'vitest';
import { Siding } from './siding.ts';

/** A client's connection that is none. */
class FakeSocket extends Socket {
  text = '';
  stopsAfterMs: number | undefined;

  override _read(): void {}
  override _write(chunk: Buffer | string, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
  override _writev(chunks: { chunk: Buffer | string }[], done: () => void): void {
    for (const { chunk } of chunks) this.text += chunk.toString();
    done();
  }
  override _final(done: () => void): void {
    this.text += '.';
    done();
  }
  override setTimeout(ms: number): this {
    this.stopsAfterMs = ms;
    return this;
  }
}

let socket: FakeSocket;
let told: string[];
let siding: Siding;

beforeEach(() => {
  socket = new FakeSocket();
  told = [];
  const main = {
    socket,
    wanted: () => told.push('wanted'),
    left: () => told.push('left'),
    stays: () => told.push('stays'),
  };
  siding = new Siding(main, {});
});

test('reads only what it is given, and asks for more', async () => {
  let read = '';
  siding.on('data', (bytes) => {
    read += bytes;
  });
  siding.give(Buffer.from('one request'));
  socket.push('another');
  await settle();
  expect([read, told[0]]).toEqual(['one request', 'wanted']);
});

test('says when enough has been given', () => {
  expect(siding.give(Buffer.alloc(1_000_000))).toBe(false);
});

test('writes through, at once and together', async () => {
  siding.write('HTTP/1.1 ');
  siding.cork();
  siding.write('200 OK');
  siding.write('\r\n');
  siding.uncork();
  await settle();
  expect(socket.text).toBe('HTTP/1.1 200 OK\r\n');
});

test('its end is the end of what is written', async () => {
  siding.end('last');
  await settle();
  expect(socket.text).toBe('last.');
});

test('the end of the client is its end', async () => {
  let isEnded = false;
  siding.on('end', () => {
    isEnded = true;
  });
  siding.resume();
  siding.finish();
  await settle();
  expect(isEnded).toBe(true);
});

test('leaves the connection as it is when its request has been answered', async () => {
  const closed = new Promise((resolve) => siding.once('close', resolve));
  siding.setTimeout(1_000);
  siding.answered(true);
  await closed;
  expect([told.includes('left'), socket.destroyed, socket.stopsAfterMs]).toEqual([true, false, 0]);
  socket.destroy();
  await settle();
  expect(told.filter((one) => one === 'left')).toHaveLength(1);
});

test('that the full way keeps is not left any more', () => {
  siding.answered(false);
  expect(told).toContain('stays');
  siding.stay();
  siding.answered(true);
  expect(told).not.toContain('left');
});

test.each([
  ['the client', () => socket, () => siding],
  ['the full way', () => siding, () => socket],
])('ended by %s, the other is ended too', async (_, one, other) => {
  one().destroy();
  await settle();
  expect([other().destroyed, told.includes('left')]).toEqual([true, false]);
});

test('the silence of the connection is its own', () => {
  let silent = 0;
  siding.on('timeout', () => {
    silent += 1;
  });
  siding.setTimeout(50);
  socket.emit('timeout');
  expect([socket.stopsAfterMs, silent]).toEqual([50, 1]);
});

test('what has been done for its request is told once', () => {
  const headStart = { choice: undefined };
  const one = new Siding({ socket, wanted() {}, left() {}, stays() {} }, headStart);
  expect(one.takeHeadStart()).toBe(headStart);
  expect(one.takeHeadStart()).toEqual({});
});
