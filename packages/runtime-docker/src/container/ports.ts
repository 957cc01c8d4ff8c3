import getPort, { clearLockedPorts, portNumbers } from 'get-port';
import { NoFreePortError } from '../errors.ts';

/**
 * The published ports of this host: hands out one that is free now and not handed out before.
 *
 * get-port finds it, with its known edges taken off: it remembers what it gave for up to 30 s, which empties a
 * small range (so that memory is ours, and cleared there), and when nothing is free it leaves the range.
 */
export class PortRange {
  readonly from: number;
  readonly to: number;
  readonly #inUse = new Set<number>();
  readonly #holders = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  /** @throws if it is not a range of TCP ports */
  constructor(from: number, to: number) {
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 1024 || to > 65535 || from > to) {
      throw new RangeError(`${from}-${to} is no range of ports; allowed is FROM-TO within 1024-65535`);
    }
    this.from = from;
    this.to = to;
  }

  /**
   * A port that is free on 127.0.0.1; it stays taken until it is released.
   *
   * @param exclude ports that were tried already
   * @throws {NoFreePortError}
   */
  take(exclude: Iterable<number> = []): Promise<number> {
    // One after the other: two look-ups at once would find the same port.
    const next = this.#last.then(() => this.#find(exclude));
    this.#last = next.catch(() => {});
    return next;
  }

  /** Marks a port that is known to be in use, and by which container. */
  claim(port: number, holder: string): void {
    this.#inUse.add(port);
    this.#holders.set(holder, port);
  }

  /** The container is gone. Once only: its port may be another's by now. */
  releaseOf(holder: string): void {
    const port = this.#holders.get(holder);
    if (port !== undefined) this.#inUse.delete(port);
    this.#holders.delete(holder);
  }

  release(port: number): void {
    this.#inUse.delete(port);
  }

  // Private

  async #find(exclude: Iterable<number>): Promise<number> {
    clearLockedPorts();
    const taken = [...this.#inUse, ...exclude].filter((port) => port >= this.from && port <= this.to);
    if (new Set(taken).size > this.to - this.from) throw new NoFreePortError(this.from, this.to);
    const wanted = { port: portNumbers(this.from, this.to), exclude: taken, host: '127.0.0.1' };
    const port = await getPort(wanted).catch((error: unknown) => {
      throw new NoFreePortError(this.from, this.to, error); // no descriptors left, say
    });
    if (port < this.from || port > this.to) throw new NoFreePortError(this.from, this.to);
    this.#inUse.add(port);
    return port;
  }
}
