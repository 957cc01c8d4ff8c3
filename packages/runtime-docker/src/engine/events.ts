import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { endedByOom } from '../container/instance.ts';
import { LABELS } from '../labels.ts';
import type { Engine } from './engine.ts';
import { lines } from './lines.ts';

/**
 * What happened at the engine. Events are hints: after each `connected`, list what is really there, since some
 * may have been missed.
 */
export type RuntimeEvent =
  | { readonly type: 'connected' }
  | { readonly type: 'disconnected'; readonly error: Error }
  | { readonly type: 'exited'; readonly id: string; readonly exitCode: number; readonly oomKilled: boolean }
  /** A process of the container was killed because its memory was used up; the container may live on. */
  | { readonly type: 'oom'; readonly id: string }
  | { readonly type: 'paused' | 'resumed' | 'removed'; readonly id: string }
  | { readonly type: 'images-changed' };

const ACTIONS = [
  'oom',
  'die',
  'pause',
  'unpause',
  'destroy',
  'tag',
  'untag',
  'delete',
  'load',
  'import',
  'pull',
];
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;

interface EngineMessage {
  readonly Type?: string;
  readonly Action?: string;
  readonly timeNano?: number;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
}

/** Follows the engine's `GET /events` for one owner's containers until the signal; reconnects with back-off. */
export async function* watchEvents(
  engine: Engine,
  owner: string,
  signal: AbortSignal,
): AsyncGenerator<RuntimeEvent> {
  const outOfMemory = new Set<string>();
  let since: number | undefined;
  let retryMs = MIN_RETRY_MS;
  while (!signal.aborted) {
    let failure = new Error('the event stream ended');
    try {
      const filters = JSON.stringify({ type: ['container', 'image'], event: ACTIONS });
      const stream = await engine.call(
        'events',
        (docker) => docker.getEvents({ filters, ...(since !== undefined && { since }) }),
        { signal },
      );
      const end = () => (stream as Readable).destroy();
      signal.addEventListener('abort', end, { once: true });
      if (signal.aborted) end(); // in the moment between
      try {
        yield { type: 'connected' };
        for await (const line of lines(stream as Readable)) {
          const message = parse(line);
          if (message === undefined) continue;
          retryMs = MIN_RETRY_MS; // what answers with something else, or ends at once, is asked less and less
          if (typeof message.timeNano === 'number') since = asSeconds(message.timeNano);
          const event = translate(message, owner, outOfMemory);
          if (event !== undefined) yield event;
        }
      } finally {
        signal.removeEventListener('abort', end);
        end();
      }
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    if (signal.aborted) return;
    yield { type: 'disconnected', error: failure };
    await sleep(retryMs, undefined, { signal }).catch(() => {});
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  }
}

function translate(
  message: EngineMessage,
  owner: string,
  outOfMemory: Set<string>,
): RuntimeEvent | undefined {
  if (message.Type === 'image') return { type: 'images-changed' };
  const { ID: id, Attributes } = message.Actor ?? {};
  const attributes = Attributes ?? {};
  if (id === undefined || attributes[LABELS.owner] !== owner) return undefined;
  switch (message.Action) {
    case 'oom':
      outOfMemory.add(id);
      return { type: 'oom', id };
    case 'die': {
      const exitCode = Number(attributes.exitCode ?? -1);
      return { type: 'exited', id, exitCode, oomKilled: endedByOom(exitCode, outOfMemory.delete(id)) };
    }
    case 'pause':
      return { type: 'paused', id };
    case 'unpause':
      return { type: 'resumed', id };
    case 'destroy':
      outOfMemory.delete(id);
      return { type: 'removed', id };
    default:
      return undefined;
  }
}

function parse(line: string): EngineMessage | undefined {
  try {
    const message: EngineMessage | null = JSON.parse(line);
    return message ?? undefined;
  } catch {
    return undefined; // a hint that cannot be read; the next list will tell
  }
}

function asSeconds(timeNano: number): number {
  return timeNano / 1e9;
}
