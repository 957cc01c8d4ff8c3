import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_INTERVAL_MS = 100;
const CHUNK_BYTES = 64 * 1024;

/** Follows a file that grows from its last lines on; one that was cut is read from its start. */
export async function* followFile(
  file: string,
  { lines, ended, signal }: { lines: readonly string[]; ended: () => boolean; signal: AbortSignal },
): AsyncGenerator<string> {
  await using handle = await open(file);
  let { size: position } = await handle.stat();
  yield* lines;
  const decoder = new StringDecoder('utf8');
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let rest = '';
  for (;;) {
    const last = ended(); // before the read: what it wrote until then is read once more
    if ((await handle.stat()).size < position) position = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      const parts = (rest + decoder.write(buffer.subarray(0, bytesRead))).split(/\r?\n/);
      rest = parts.pop() ?? '';
      for (const line of parts) if (line !== '') yield line;
    }
    if (last || signal.aborted) break;
    await sleep(LOOK_INTERVAL_MS, undefined, { signal }).catch(() => {});
  }
  if (rest !== '') yield rest;
}
