import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { HalfRequestError, type StrictRequest, takeRequest } from './strict-parser.ts';

/** What an instance does with the requests of one client's connection, and what it has received of them. */
export class Testimony {
  /** The complete requests in order of arrival: line and body, and what followed a 101. */
  readonly arrived: string[] = [];
  /** Faults that must never happen. */
  readonly faults: string[] = [];
  /** The answer to each request whose path is not `/first` or `/last`, in place of an echo. */
  answer: string | undefined;
  /** Does the instance close its connection after that answer? */
  ends = false;
  /** `/first` is not answered before this resolves. */
  readonly released: Promise<void>;
  readonly release: () => void;
  unanswered = 0;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.released = promise;
    this.release = resolve;
  }
}

/**
 * An instance that parses strictly, answers complete requests only, and tells clients' connections apart by the
 * second label of `Host`, of four letters. It notices ambiguous requests, and two concurrent ones of one connection.
 */
export class Witness {
  readonly #testimonies = new Map<string, Testimony>();
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #tags = 0;
  /** Faults that cannot be attributed to a connection. */
  readonly faults: string[] = [];

  private constructor() {
    this.#server = createServer((socket) => this.#onConnection(socket));
  }

  static async listen(): Promise<Witness> {
    const witness = new Witness();
    witness.#server.listen(0, '127.0.0.1');
    await once(witness.#server, 'listening');
    return witness;
  }

  get endpoint(): { host: string; port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  /** Registers another connection of a client; `tag` replaces `test` in its `Host`. */
  open(): { tag: string; testimony: Testimony } {
    let tag = '';
    for (let left = this.#tags++, i = 0; i < 4; i++, left = Math.floor(left / 26))
      tag = String.fromCharCode(97 + (left % 26)) + tag;
    const testimony = new Testimony();
    this.#testimonies.set(tag, testimony);
    return { tag, testimony };
  }

  close(tag: string): void {
    this.#testimonies.delete(tag);
  }

  /** Ends all connections. */
  forget(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  stop(): void {
    this.forget();
    this.#server.close();
  }

  // Private

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}).once('close', () => this.#sockets.delete(socket));
    let bytes = '';
    let tunnel: Testimony | undefined;
    let busy = false;
    const read = async () => {
      if (busy) return;
      busy = true;
      while (bytes !== '' && tunnel === undefined) {
        const taken = this.#take(bytes, socket);
        if (taken === undefined) break;
        const [request, rest] = taken;
        bytes = rest;
        tunnel = await this.#answer(request, socket);
      }
      busy = false;
      if (tunnel === undefined || bytes === '') return;
      tunnel.arrived[tunnel.arrived.length - 1] += bytes;
      bytes = '';
    };
    socket.setNoDelay().on('data', (chunk) => {
      bytes += chunk.toString('latin1');
      void read();
    });
  }

  #take(bytes: string, socket: Socket): [StrictRequest, string] | undefined {
    try {
      return takeRequest(bytes);
    } catch (error) {
      if (error instanceof HalfRequestError) return undefined;
      const tag = /^host: *raw\d*.([a-z]{4})/im.exec(bytes)?.[1] ?? '';
      const { faults } = this.#testimonies.get(tag) ?? this;
      faults.push(`ambiguous: ${(error as Error).message} in ${JSON.stringify(bytes.slice(0, 300))}`);
      socket.destroy();
      return undefined;
    }
  }

  /** Returns whose tunnel the connection becomes, if any. */
  async #answer({ line, headers, body }: StrictRequest, socket: Socket): Promise<Testimony | undefined> {
    const header = (name: string) => headers.find(([one]) => one === name)?.[1];
    const [, host, tag = ''] = /^(raw\d*.([a-z]{4}))(?::80)?$/i.exec(header('host') ?? '') ?? [];
    const testimony = this.#testimonies.get(tag.toLowerCase());
    if (testimony === undefined) {
      // A finished connection may have left one behind, but there must be none of an unknown one.
      if (host === undefined) this.faults.push(`for whom is ${line} of ${header('host')}?`);
      socket.destroy();
      return undefined;
    }
    const { arrived, faults } = testimony;
    const [method = '', path = ''] = line.split(' ');
    const { answer } = testimony;
    const told = `${method} ${path}${body === '' ? '' : ` ${body}`}`;
    // A failed GET may be retried within the budget; record it once.
    if (answer === undefined || method !== 'GET' || arrived.at(-1) !== told) arrived.push(told);
    if (testimony.unanswered > 0)
      faults.push(`${method} ${path} came before the answer to the one before it`);
    testimony.unanswered += 1;
    if (path === '/first') await testimony.released;
    testimony.unanswered -= 1;
    if (answer !== undefined && path !== '/first' && path !== '/last') {
      const accept = createHash('sha1')
        .update(`${header('sec-websocket-key')}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64');
      socket.write(answer.replace('{accept}', accept), 'latin1');
      if (testimony.ends) setTimeout(() => socket.end(), 20);
      if (!/^HTTP\/1\.1 101 /m.test(answer)) return undefined;
      arrived.push('then: ');
      return testimony;
    }
    const echo = Buffer.from(told, 'latin1');
    socket.write(
      `HTTP/1.1 200 OK\r\nX-Saw: ${method} ${path}\r\nContent-Length: ${echo.length}\r\n\r\n`,
      'latin1',
    );
    if (method !== 'HEAD') socket.write(echo);
    return undefined;
  }
}
