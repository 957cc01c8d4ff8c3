import { expect, test } from 'vitest';
import { IdleTimeout } from './idle-timeout.ts';

class FakeSocket {
  bytesRead = 0;
  bytesWritten = 0;
  timeouts: number[] = [];

  setTimeout(ms: number): void {
    this.timeouts.push(ms);
  }
}

test('silence adds up as long as nothing moves, and the timer runs on', () => {
  const socket = new FakeSocket();
  const timeout = new IdleTimeout(100);
  const measured = () => [timeout.measure(socket), timeout.measure(socket)];
  expect(measured()).toEqual([100, 200]);
  socket.bytesRead += 5;
  expect(measured()).toEqual([100, 200]);
  socket.bytesWritten += 5;
  expect(measured()).toEqual([100, 200]);
  expect(socket.timeouts).toEqual(Array(6).fill(100));
  expect(timeout.measure(new FakeSocket())).toBe(100);
});

test('where nobody minds silence there is no timer', () => {
  expect(new IdleTimeout(Number.POSITIVE_INFINITY).stepMs).toBeUndefined();
});
