import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RuntimeEvent } from '@cless/model';
import type { Engine } from './engine.ts';
import { exitOf } from './exit.ts';
import { lines } from './lines.ts';

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
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Labels };
}

/** The engine mixes labels into the attributes of an event. */
type Labels = Readonly<Record<string, string>>;

/**
 * Follows the engine's `GET /events` until the signal is aborted; reconnects with back-off. Events are hints: after
 * each `connected`, list what really exists, since some events may have been missed.
 *
 * @param isOurs is a container with these labels ours, so that its events are yielded?
 */
export async function* watchEvents(
  engine: Engine,
  isOurs: (labels: Labels) => boolean,
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
      if (signal.aborted) end(); // aborted before the listener was added
      try {
        yield { type: 'connected' };
        for await (const line of lines(stream as Readable)) {
          const message = parse(line);
          if (message === undefined) continue;
          retryMs = MIN_RETRY_MS; // only after an event: something that answers but is not an engine, or ends at once, is asked less and less often
          if (typeof message.timeNano === 'number') since = asSeconds(message.timeNano);
          const event = translate(message, isOurs, outOfMemory);
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
  isOurs: (labels: Labels) => boolean,
  outOfMemory: Set<string>,
): RuntimeEvent | undefined {
  if (message.Type === 'image') return { type: 'images-changed' };
  const { ID: id, Attributes } = message.Actor ?? {};
  const attributes = Attributes ?? {};
  if (id === undefined || !isOurs(attributes)) return undefined;
  switch (message.Action) {
    case 'oom':
      outOfMemory.add(id);
      return { type: 'oom', id };
    case 'die': {
      const exitCode = Number(attributes.exitCode ?? -1);
      return { type: 'exited', id, ...exitOf(exitCode, outOfMemory.delete(id)) };
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
    return undefined; // unreadable; the next list makes up for it
  }
}

function asSeconds(timeNano: number): number {
  return timeNano / 1e9;
}
