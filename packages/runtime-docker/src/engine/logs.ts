import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Engine } from './engine.ts';

/*
 * Reads the engine's `GET /containers/{id}/logs`: frames with a header of 8 bytes and a payload.
 */

const HEADER_BYTES = 8;
/** A longer line is given out in parts of this length, in characters. */
const MAX_LINE_LENGTH = 64 * 1024;

/** The lines of a complete answer. */
export function logLines(frames: Buffer): string[] {
  const lines = new LogLines();
  return [...lines.push(frames), ...lines.end()];
}

/** The last lines of a container and those that follow, until it ends or the signal is aborted. */
export async function* followLogs(
  engine: Engine,
  id: string,
  tail: number,
  signal: AbortSignal,
): AsyncGenerator<string> {
  if (signal.aborted) return;
  const stream = (await engine.call('logs', (docker) =>
    docker.getContainer(id).logs({ stdout: true, stderr: true, follow: true, tail }),
  )) as Readable;
  const end = () => stream.destroy();
  signal.addEventListener('abort', end, { once: true });
  const lines = new LogLines();
  try {
    for await (const chunk of stream) yield* lines.push(chunk);
    yield* lines.end();
  } catch (error) {
    if (!signal.aborted) throw engine.brokeOff('logs', error);
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/**
 * Turns chunks of frames, split anywhere, into lines. Keeps stdout and stderr apart, so that neither breaks the
 * other's lines.
 */
class LogLines {
  #pending: Buffer = Buffer.alloc(0);
  readonly #streams = new Map<number, { readonly decoder: StringDecoder; rest: string }>();

  *push(chunk: Buffer): Generator<string> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= HEADER_BYTES) {
      // Otherwise a page of something that is not an engine would be read as a frame of gigabytes.
      if (this.#pending.readUInt32BE(0) & 0xfcffffff) throw new Error('these are no frames of a log');
      const frameEnd = HEADER_BYTES + this.#pending.readUInt32BE(4);
      if (this.#pending.length < frameEnd) return;
      yield* this.#text(this.#pending[0] ?? 1, this.#pending.subarray(HEADER_BYTES, frameEnd));
      this.#pending = this.#pending.subarray(frameEnd);
    }
  }

  *end(): Generator<string> {
    for (const { rest } of this.#streams.values()) if (rest !== '') yield rest;
  }

  *#text(stream: number, payload: Buffer): Generator<string> {
    const state = this.#streams.get(stream) ?? { decoder: new StringDecoder('utf8'), rest: '' };
    this.#streams.set(stream, state);
    const parts = (state.rest + state.decoder.write(payload)).split(/\r?\n/);
    state.rest = parts.pop() ?? '';
    if (state.rest.length > MAX_LINE_LENGTH) {
      parts.push(state.rest);
      state.rest = '';
    }
    for (const line of parts) if (line !== '') yield line;
  }
}
