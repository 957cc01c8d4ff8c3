import { statSync, truncateSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_INTERVAL_MS = 100;
const CHUNK_BYTES = 64 * 1024;
const MAX_LOG_BYTES = 10 * 1024 * 1024;

/** Reads the last lines of a file, at most its last 64 KiB. */
export async function lastLines(file: string, count: number): Promise<string[]> {
  await using handle = await open(file);
  const { lines, rest } = await readTail(handle);
  return lastOf(rest === '' ? lines : [...lines, rest], count);
}

/** Yields the last lines of a file, then those appended to it. If the file is truncated, it is read from its start. */
export async function* followFile(
  file: string,
  { count, ended, signal }: { count: number; ended: () => boolean; signal: AbortSignal },
): AsyncGenerator<string> {
  await using handle = await open(file);
  let { lines, rest, position } = await readTail(handle);
  yield* lastOf(lines, count);
  const decoder = new StringDecoder('utf8');
  const buffer = Buffer.alloc(CHUNK_BYTES);
  for (;;) {
    const last = ended(); // before the read, so that its last output is still read
    if ((await handle.stat()).size < position) position = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      ({ lines, rest } = split(rest + decoder.write(buffer.subarray(0, bytesRead))));
      yield* lines;
    }
    if (last || signal.aborted) break;
    await sleep(LOOK_INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
  if (rest !== '') yield rest;
}

/** Truncates a log that has grown too large. A process that has it open for appending continues at the new end. */
export function boundLog(file: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES) truncateSync(file);
}

/** Reads the end of a file: whole lines, the unfinished line after them, and the position after that. */
async function readTail(handle: FileHandle): Promise<{ lines: string[]; rest: string; position: number }> {
  const { size } = await handle.stat();
  const start = Math.max(0, size - CHUNK_BYTES);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
  return { ...split(buffer.toString('utf8', 0, bytesRead)), position: start + bytesRead };
}

function split(text: string): { lines: string[]; rest: string } {
  const lines = text.split(/\r?\n/);
  const rest = lines.pop() ?? '';
  return { lines: lines.filter((line) => line !== ''), rest };
}

function lastOf(lines: readonly string[], count: number): string[] {
  return lines.slice(Math.max(0, lines.length - count));
}
