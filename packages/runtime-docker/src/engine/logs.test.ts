import { describe, expect, test } from 'vitest';
import { logLines } from './logs.ts';

/** A frame as the engine sends it: 1 is standard output, 2 standard error. */
function frame(text: string | Buffer, stream: 1 | 2 = 1): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

const lines = (...frames: Buffer[]) => logLines(Buffer.concat(frames));

describe('lines', () => {
  test('are what stands between newlines of either kind; empty ones are none', () => {
    expect(lines(frame('one\ntwo\r\n\nthree'))).toEqual(['one', 'two', 'three']);
    expect(lines()).toEqual([]);
  });

  test('go over the borders of frames, and of characters', () => {
    const [left, right] = [Buffer.from('grüße\n').subarray(0, 3), Buffer.from('grüße\n').subarray(3)];
    expect(lines(frame(left), frame(right))).toEqual(['grüße']);
  });

  test('of the two streams do not break into each other', () => {
    expect(lines(frame('out '), frame('err ', 2), frame('put\n'), frame('or\n', 2))).toEqual([
      'out put',
      'err or',
    ]);
  });

  test('that are very long come in parts', () => {
    const long = 'x'.repeat(64 * 1024 + 1);
    expect(lines(frame(long), frame('y\n'))).toEqual([long, 'y']);
  });
});

test('half a frame at the end is no line', () => {
  expect(lines(frame('whole\n'), frame('half\n').subarray(0, 10))).toEqual(['whole']);
});

test('what is no log is an error, and not gigabytes to wait for', () => {
  expect(() => lines(Buffer.from('<!doctype html><title>login</title>'))).toThrow('no frames of a log');
});
