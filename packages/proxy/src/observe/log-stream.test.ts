import { execFileSync, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { LogStream } from './log-stream.ts';

const directory = mkdtempSync(join(tmpdir(), 'cless-log-'));
afterAll(() => {
  if (canMount) execFileSync('umount', [mount]);
  rmSync(directory, { recursive: true });
});

const mount = join(directory, 'mount');
mkdirSync(mount);
/** Only root may, and not in every container. */
const canMount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount]).status === 0;

let told: number[];
let stream: LogStream;

beforeEach(() => {
  told = [];
});

function open(fd: number, maxWaitingBytes?: number): void {
  stream = new LogStream({
    fd,
    ...(maxWaitingBytes !== undefined && { maxWaitingBytes }),
    onRecovered: (lost) => {
      told.push(lost);
      stream.write(`lost ${lost}\n`);
    },
  });
}

test('lines are written at once, in their order', () => {
  const file = join(directory, 'file');
  const fd = openSync(file, 'a');
  open(fd);
  for (const line of ['one\n', 'zwei ü\n', 'three\n']) stream.write(line);
  expect(readFileSync(file, 'utf8')).toBe('one\nzwei ü\nthree\n');
  expect(stream.dropped).toBe(0);
  stream.flushSync();
  closeSync(fd);
});

test('a device that is full costs lines, which are counted', () => {
  const fd = openSync('/dev/full', 'w');
  open(fd);
  for (let i = 0; i < 1_000; i++) stream.write(`line ${i}\n`);
  expect(stream.dropped).toBe(1_000);
  expect(told).toEqual([]);
  stream.flushSync();
  closeSync(fd);
});

test.runIf(canMount)(
  'a disk that fills up: half a line is ended, and how many are missing is said once there is space',
  () => {
    const file = join(mount, 'log');
    const fd = openSync(file, 'a');
    open(fd);
    for (let i = 0; i < 200; i++) stream.write(`${String(i).padStart(5)} ${'x'.repeat(994)}\n`);
    const { dropped } = stream;
    expect(dropped).toBe(200 - 65);
    execFileSync('truncate', ['-s', '1500', file]);
    stream.write('again\n');
    expect(told).toEqual([dropped]);
    expect(readFileSync(file, 'utf8').split('\n').slice(1)).toEqual([
      `    1 ${'x'.repeat(493)}`,
      'again',
      `lost ${dropped}`,
      '',
    ]);
    stream.write('on\n');
    expect(stream.dropped).toBe(dropped);
    expect(told).toEqual([dropped]);
    closeSync(fd);
  },
);

describe('a pipe', () => {
  let reader: number;
  let writer: number;
  let count = 0;

  beforeEach(() => {
    const fifo = join(directory, `fifo${count++}`);
    execFileSync('mkfifo', [fifo]);
    reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  });

  /** All that is in the pipe now. */
  function read(): string {
    const buffer = Buffer.alloc(1 << 20);
    let text = '';
    for (;;) {
      try {
        const bytes = readSync(reader, buffer);
        if (bytes === 0) return text;
        text += buffer.toString('utf8', 0, bytes);
      } catch {
        return text; // empty
      }
    }
  }

  test('whose reader is slow gets all, each line whole', async () => {
    open(writer);
    const lines = Array.from({ length: 300 }, (_, i) => `${i} ${'y'.repeat(997)}\n`);
    for (const line of lines) stream.write(line);
    let got = '';
    await expect
      .poll(() => {
        got += read();
        return got.length;
      })
      .toBe(lines.join('').length);
    expect(got).toBe(lines.join(''));
    expect(stream.dropped).toBe(0);
    closeSync(reader);
    closeSync(writer);
  });

  test('that nobody reads takes bounded memory, and an exit waits for it, but not long', async () => {
    open(writer, 10_000);
    for (let i = 0; i < 1_000; i++) stream.write(`${String(i).padStart(4)} ${'z'.repeat(994)}\n`);
    expect(stream.dropped).toBeGreaterThan(900);
    const dropped = stream.dropped;
    stream.flushSync(50);
    let got = '';
    await expect
      .poll(() => {
        got += read();
        return got.includes('lost');
      })
      .toBe(true);
    const numbers = got.split('\n').slice(0, -2).map(Number.parseFloat);
    expect(numbers).toEqual(Array.from({ length: 1_000 - dropped }, (_, i) => i));
    expect(told).toEqual([dropped]);
    closeSync(reader);
    closeSync(writer);
  });

  test('whose reader is gone costs lines', () => {
    open(writer);
    stream.write('read\n');
    closeSync(reader);
    for (let i = 0; i < 100; i++) stream.write('lost\n');
    expect(stream.dropped).toBe(100);
    closeSync(writer);
  });

  test('whose reader goes away while lines wait costs these, too', async () => {
    open(writer);
    for (let i = 0; i < 100; i++) stream.write(`${'w'.repeat(999)}\n`);
    expect(stream.dropped).toBe(0);
    closeSync(reader);
    await expect.poll(() => stream.dropped).toBeGreaterThan(30);
    stream.write('lost\n');
    closeSync(writer);
  });
});
