import type { Socket } from 'node:net';

interface Seen {
  readonly moved: number;
  readonly silentMs: number;
}

/**
 * How long nothing has moved on a connection, from a timer of the system's that tells of so much silence at a time. Costs
 * nothing while bytes flow.
 */
export class IdleTimeout {
  /** The timer's, in milliseconds. Undefined means that nobody minds silence. */
  readonly stepMs: number | undefined;
  readonly #seen = new WeakMap<Socket, Seen>();

  /** @param shortestMs the shortest silence that somebody minds, in milliseconds; infinite if nobody does */
  constructor(shortestMs: number) {
    this.stepMs = Number.isFinite(shortestMs) ? shortestMs : undefined;
  }

  /** The timer has told of silence: how long it has been, in milliseconds; and the timer runs on. */
  measure(socket: Socket): number {
    const stepMs = this.stepMs ?? 0;
    const moved = socket.bytesRead + socket.bytesWritten;
    const before = this.#seen.get(socket);
    const silentMs = stepMs + (before?.moved === moved ? before.silentMs : 0);
    this.#seen.set(socket, { moved, silentMs });
    socket.setTimeout(stepMs); // it tells once, unless something moves
    return silentMs;
  }
}
