import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What a raw upstream does with the bytes received so far; called whenever there are more. */
export type Script = (connection: RawConnection) => void;

/** One connection to a raw upstream. */
export class RawConnection {
  readonly socket: Socket;
  /** All bytes received, as Latin-1. */
  received = '';
  /** How many times the script has answered on this connection. */
  answered = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Has a complete head been received since the last answer? Good enough for requests without bodies. */
  get hasRequest(): boolean {
    return this.received.split('\r\n\r\n').length - 1 > this.answered;
  }

  answer(text: string): void {
    this.answered += 1;
    this.socket.write(text, 'latin1');
  }
}

/** An upstream that works on bytes, and remembers those it received. */
export class RawUpstream {
  readonly connections: RawConnection[] = [];
  script: Script = () => {};
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((socket) => {
      const connection = new RawConnection(socket);
      this.connections.push(connection);
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        connection.received += chunk.toString('latin1');
        this.script(connection);
      });
    });
  }

  static async listen(): Promise<RawUpstream> {
    const upstream = new RawUpstream();
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get endpoint(): { host: string; port: number } {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  /** Everything received over all connections. */
  get received(): string {
    return this.connections.map(({ received }) => received).join('');
  }

  /** Answers each request with these bytes. */
  always(text: string): void {
    this.script = (connection) => {
      while (connection.hasRequest) connection.answer(text);
    };
  }

  forget(): void {
    for (const { socket } of this.connections) socket.destroy();
    this.connections.length = 0;
  }

  close(): void {
    this.forget();
    this.#server.close();
  }
}

/** What was received over a raw connection. */
export interface RawAnswer {
  readonly text: string;
  /** Did the other side close it? Otherwise the time ran out. */
  readonly closed: boolean;
  /** By a reset? */
  readonly reset: boolean;
}

/** Sends bytes to a local port and collects the answer until `enough`, the end, or the timeout. */
export function sendRaw(
  port: number,
  bytes: string | Buffer,
  {
    enough = () => false,
    timeoutMs = 5_000,
  }: { enough?: (text: string) => boolean; timeoutMs?: number } = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let text = '';
    const finish = (closed: boolean, reset = false) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed, reset });
    };
    const timer = setTimeout(() => finish(false), timeoutMs);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (enough(text)) finish(false);
    });
    socket
      .on('end', () => finish(true))
      .on('close', () => finish(true))
      .on('error', ({ code }: NodeJS.ErrnoException) => code === 'ECONNRESET' && finish(true, true));
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}
