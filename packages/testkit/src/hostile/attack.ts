import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Witness } from './witness.ts';

/** Bytes that a client sends to the service `raw`, as `raw.test`, and what the instance answers. */
export interface Attack {
  readonly name: string;
  readonly bytes: string;
  /** The answer to each of these requests. Default: an echo. */
  readonly answer?: string;
  /** Does the instance close its connection after that answer? */
  readonly ends?: boolean;
  /** A service of its own, `raw` and digits, if the answer may harm the next user of the instance's connection. */
  readonly service?: string;
}

/** The outcome of an attack, which must be the same whatever precedes it on the connection and however it is cut. */
export interface Outcome {
  /** What the client received, without the parts that differ each time. */
  readonly text: string;
  /** Has the other side closed the connection? */
  readonly closed: boolean;
  /** The requests the instance received. */
  readonly arrived: readonly string[];
  /** Faults that must not happen, whatever the attack. */
  readonly faults: readonly string[];
}

/** A request that is not answered until what follows it on the connection has been sent. */
export const FIRST = 'GET /first HTTP/1.1\r\nHost: raw.test\r\n\r\n';
export const LAST = 'GET /last HTTP/1.1\r\nHost: raw.test\r\n\r\n';

/** The pause between two writes, so that they are not read as one, in milliseconds. */
const PAUSE_MS = 3;

export interface AttackOptions {
  /** Where to cut the bytes in two. Default: not at all. */
  readonly cutAt?: number;
  /** Once this has been received, the attack is over, except for what follows immediately. */
  readonly expected?: Omit<Outcome, 'faults'>;
  /** After how long without any bytes the attack is over, in milliseconds. */
  readonly quietMs: number;
}

/** Sends the bytes on a new connection. */
export async function attack(
  port: number,
  witness: Witness,
  { bytes, answer, ends = false, service = 'raw' }: Omit<Attack, 'name'>,
  { cutAt, expected, quietMs }: AttackOptions,
): Promise<Outcome> {
  const { tag, testimony } = witness.open();
  testimony.answer = answer;
  testimony.ends = ends;
  const tagged = Buffer.from(
    bytes.replaceAll(/raw(.)test/gi, (_, separator) => service + separator + tag),
    'latin1',
  );
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const over = Promise.withResolvers<void>();
  let received = '';
  let closed = false;
  const outcome = () => ({
    text: withoutWhatVaries(received, tag),
    closed,
    arrived: testimony.arrived.map((one) => withoutWhatVaries(one, tag)),
    faults: [...testimony.faults],
  });
  let timer = setTimeout(over.resolve, quietMs);
  const look = () => {
    clearTimeout(timer);
    const patienceMs = expected !== undefined && asExpected(outcome(), expected) ? 4 * PAUSE_MS : quietMs;
    timer = setTimeout(over.resolve, patienceMs);
  };
  const close = () => {
    closed = true;
    // The instance may receive the rest a moment later.
    clearTimeout(timer);
    timer = setTimeout(over.resolve, PAUSE_MS);
  };
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    if (!closed) look();
  });
  socket
    .once('end', close)
    .once('close', close)
    .on('error', () => {});
  if (cutAt === undefined) socket.write(tagged);
  else {
    socket.write(tagged.subarray(0, cutAt));
    await sleep(PAUSE_MS);
    if (socket.writable) socket.write(tagged.subarray(cutAt));
  }
  await sleep(PAUSE_MS);
  testimony.release();
  if (!closed) look();
  await over.promise;
  clearTimeout(timer);
  socket.destroy();
  witness.close(tag);
  return outcome();
}

/** Are the two outcomes the same? */
export function asExpected(got: Omit<Outcome, 'faults'>, expected: Omit<Outcome, 'faults'>): boolean {
  return (
    got.text === expected.text &&
    got.closed === expected.closed &&
    got.arrived.length === expected.arrived.length &&
    got.arrived.every((one, i) => one === expected.arrived[i])
  );
}

/** Which of our checks refused it first does not matter. */
function withoutWhatVaries(text: string, tag: string): string {
  return text
    .replaceAll(new RegExp(`raw\\d*(.)${tag}`, 'gi'), 'raw$1test')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'uuid')
    .replaceAll(/^(?:Date|Server-Timing): .*\r\n/gm, '')
    .replaceAll(/(application\/problem\+json)\r\nContent-Length: \d+/g, '$1')
    .replaceAll(/\{"type":"[^"#]*#([a-z-]+)"[^\n]*\n/g, '{"type":"$1"}');
}

/** Runs tasks with limited concurrency. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  run: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const entries = items.entries();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const [i, item] of entries) await run(item, i);
    }),
  );
}
