import type { Readable } from 'node:stream';
import { Failure, hasCode, messageOf } from '@cless/model';
import type { Engine } from './engine.ts';
import { IS_PATH } from './images.ts';
import { lines } from './lines.ts';

interface PullMessage {
  readonly status?: string;
  readonly id?: string;
  readonly error?: string;
}

/** Calls the engine's `POST /images/create` and reads it to its end: the status is 200 even if the pull fails later. */
export async function pullImage(
  engine: Engine,
  reference: string,
  {
    onProgress,
    signal,
  }: { onProgress?: ((line: string) => void) | undefined; signal?: AbortSignal | undefined },
): Promise<void> {
  signal?.throwIfAborted();
  if (!IS_PATH.test(reference)) throw pullFailed(reference, 'that is no reference to an image');
  const tagged = /[:@][^/]*$/.test(reference) ? reference : `${reference}:latest`;
  let stream: Readable;
  try {
    stream = (await engine.call('pull', (docker) => docker.pull(tagged), {
      signal,
      timeoutMs: 120_000,
    })) as Readable;
  } catch (error) {
    throw hasCode(error, 'ENGINE_REFUSED') ? pullFailed(reference, error.message, error) : error;
  }
  const end = () => stream.destroy();
  signal?.addEventListener('abort', end, { once: true });
  try {
    for await (const line of lines(stream)) read(reference, line, onProgress);
  } catch (error) {
    signal?.throwIfAborted();
    throw hasCode(error, 'PULL_FAILED') ? error : pullFailed(reference, messageOf(error), error);
  } finally {
    signal?.removeEventListener('abort', end);
    end();
  }
  signal?.throwIfAborted();
}

function pullFailed(image: string, reason: string, cause?: unknown): Failure {
  return new Failure('PULL_FAILED', `image ${image} could not be pulled: ${reason}`, { image, cause });
}

function read(reference: string, line: string, onProgress: ((line: string) => void) | undefined): void {
  if (line.trim() === '') return;
  const { status, id, error } = JSON.parse(line) as PullMessage;
  if (error !== undefined) throw pullFailed(reference, error);
  if (status !== undefined) onProgress?.(id === undefined ? status : `${id}: ${status}`);
}
