/** The part of a connection that is needed to measure silence. */
interface Watched {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  setTimeout(ms: number): unknown;
}

interface Seen {
  readonly moved: number;
  readonly silentMs: number;
}

/**
 * Measures how long no bytes have moved on a connection, by Node's socket timer, which fires after each `stepMs` of
 * silence. Costs nothing while bytes flow.
 */
export class IdleTimeout {
  /** The timer's interval, in milliseconds. Undefined means that silence has no limit. */
  readonly stepMs: number | undefined;
  readonly #seen = new WeakMap<Watched, Seen>();

  /** @param shortestMs the shortest of all limits for silence, in milliseconds; Infinity if there is none */
  constructor(shortestMs: number) {
    this.stepMs = Number.isFinite(shortestMs) ? shortestMs : undefined;
  }

  /** Called when the timer fires. Returns how long the silence has lasted, in milliseconds, and restarts the timer. */
  measure(socket: Watched): number {
    const stepMs = this.stepMs ?? 0;
    const moved = socket.bytesRead + socket.bytesWritten;
    const before = this.#seen.get(socket);
    const silentMs = stepMs + (before?.moved === moved ? before.silentMs : 0);
    this.#seen.set(socket, { moved, silentMs });
    socket.setTimeout(stepMs); // it fires only once, unless bytes move
    return silentMs;
  }
}
