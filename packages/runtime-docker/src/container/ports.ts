import { Failure, messageOf } from '@cless/model';
import getPort, { clearLockedPorts, portNumbers } from 'get-port';

/**
 * Hands out ports to publish: each free on this host and not handed out before.
 *
 * Uses get-port, with two corrections: it remembers what it gave out for up to 30 s, which would exhaust a small
 * range, so we keep that memory ourselves; and when nothing is free, it leaves the range.
 */
export class PortRange {
  readonly from: number;
  readonly to: number;
  readonly #inUse = new Set<number>();
  readonly #holders = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  /** @throws if they are not a range of TCP ports */
  constructor(from: number, to: number) {
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 1024 || to > 65535 || from > to) {
      throw new RangeError(`${from}-${to} is no range of ports; allowed is FROM-TO within 1024-65535`);
    }
    this.from = from;
    this.to = to;
  }

  /**
   * Takes a port that is free on 127.0.0.1. It stays taken until it is released.
   *
   * @param exclude ports that have been tried already
   * @throws with code `NO_FREE_PORT`
   */
  take(exclude: Iterable<number> = []): Promise<number> {
    // One at a time: two concurrent searches would find the same port.
    const next = this.#last.then(() => this.#find(exclude));
    this.#last = next.catch(() => {});
    return next;
  }

  /** Marks a port as used by a container. */
  claim(port: number, holder: string): void {
    this.#inUse.add(port);
    this.#holders.set(holder, port);
  }

  /** Releases the port of a container that is gone. Only once, since the port may belong to another container by then. */
  releaseOf(holder: string): void {
    const port = this.#holders.get(holder);
    if (port !== undefined) this.#inUse.delete(port);
    this.#holders.delete(holder);
  }

  release(port: number): void {
    this.#inUse.delete(port);
  }

  /** @param cause why it cannot be determined which ports are free */
  noneFree(cause?: unknown): Failure {
    const { from, to } = this;
    const text =
      cause === undefined
        ? `no port from ${from} to ${to} is free; widen the range or stop what uses it`
        : `no port from ${from} to ${to} can be looked for: ${messageOf(cause)}`;
    return new Failure('NO_FREE_PORT', text, { from, to, cause });
  }

  // Private

  async #find(exclude: Iterable<number>): Promise<number> {
    clearLockedPorts();
    const taken = [...this.#inUse, ...exclude].filter((port) => port >= this.from && port <= this.to);
    if (new Set(taken).size > this.to - this.from) throw this.noneFree();
    const wanted = { port: portNumbers(this.from, this.to), exclude: taken, host: '127.0.0.1' };
    const port = await getPort(wanted).catch((error: unknown) => {
      throw this.noneFree(error); // for example, no file descriptors left
    });
    if (port < this.from || port > this.to) throw this.noneFree();
    this.#inUse.add(port);
    return port;
  }
}
