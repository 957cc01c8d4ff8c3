import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the gate between the proxy and its engine does with calls and answers. */
export type GateMode =
  /** Passes all on. */
  | 'open'
  /** Closes each connection at once. */
  | 'refuse'
  /** Accepts calls and never answers. */
  | 'silence'
  /** Answers itself, with something that is not of the Docker Engine API. */
  | 'garbage'
  | 'html'
  | 'redirect'
  | 'empty'
  /** Delays each answer. */
  | 'delay'
  /** Breaks each answer off some bytes before its end. */
  | 'cut'
  /** Passes everything on except events. */
  | 'drop-events'
  /** Passes events on in batches, latest first. */
  | 'reorder-events';

const DELAY_MS = 400;
const CUT_BYTES = 10;
const BUNCH_MS = 300;

const OWN_ANSWERS: Partial<Record<GateMode, string>> = {
  garbage: '\x00\x01HELLO 99 ~~~~\r\n\r\n\xff\xfe',
  html: answer('200 OK', '<!doctype html><title>login</title>', 'Content-Type: text/html\r\n'),
  redirect: answer('301 Moved Permanently', '', 'Location: /elsewhere\r\n'),
  empty: answer('200 OK', '{}', 'Content-Type: application/json\r\n'),
};

/** A Unix socket in front of an engine's that can be made to misbehave. */
export class EngineGate {
  readonly #server: Server;
  readonly #engineSocket: string;
  readonly #connections = new Set<Socket>();
  #mode: GateMode = 'open';

  private constructor(engineSocket: string) {
    this.#engineSocket = engineSocket;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  static async listen(socketPath: string, engineSocket: string): Promise<EngineGate> {
    const gate = new EngineGate(engineSocket);
    gate.#server.listen(socketPath);
    await once(gate.#server, 'listening');
    return gate;
  }

  /** Changes the behaviour; open connections are closed. */
  set mode(mode: GateMode) {
    this.#mode = mode;
    for (const connection of this.#connections) connection.destroy();
  }

  close(): void {
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
  }

  // Private

  #accept(client: Socket): void {
    const mode = this.#mode;
    this.#keep(client);
    if (mode === 'refuse') return void client.destroy();
    if (mode === 'silence') return void client.resume();
    const own = OWN_ANSWERS[mode];
    if (own !== undefined) return void client.once('data', () => client.end(own, 'latin1')).resume();

    const engine = this.#keep(connect({ path: this.#engineSocket, allowHalfOpen: true }));
    client.on('close', () => engine.destroy());
    engine.on('close', () => client.destroy());
    let isEvents = false;
    client.once('data', (head: Buffer) => {
      isEvents = /^GET \S*\/events/.test(head.toString('latin1', 0, 100));
      engine.write(head);
      client.pipe(engine);
    });
    if (mode === 'delay') void passOn(engine, client, () => sleep(DELAY_MS));
    else if (mode === 'cut') engine.once('data', (bytes) => client.end(bytes.subarray(0, -CUT_BYTES)));
    else if (mode === 'open') engine.pipe(client);
    else
      engine.once('data', (head) => {
        client.write(head);
        if (!isEvents) engine.pipe(client);
        else if (mode === 'drop-events') engine.on('data', () => {}).on('end', () => client.end());
        else reverse(engine, client);
      });
  }

  #keep(socket: Socket): Socket {
    this.#connections.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => this.#connections.delete(socket));
  }
}

function answer(status: string, body: string, headers: string): string {
  return `HTTP/1.1 ${status}\r\n${headers}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

async function passOn(from: Socket, to: Socket, pause: () => Promise<void>): Promise<void> {
  try {
    for await (const bytes of from) {
      await pause();
      to.write(bytes);
    }
  } catch {
    // One side has failed, so the other is closed too.
  }
  to.end();
}

/** Passes the chunks of a chunked answer on in batches, each in reverse order. */
function reverse(from: Socket, to: Socket): void {
  let rest = Buffer.alloc(0);
  const chunks: Buffer[] = [];
  const timer = setInterval(() => {
    for (const chunk of chunks.splice(0).reverse()) to.write(chunk);
  }, BUNCH_MS);
  from.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const lineEnd = rest.indexOf('\r\n');
      const end = lineEnd + 4 + Number.parseInt(rest.toString('latin1', 0, lineEnd), 16);
      if (lineEnd < 0 || rest.length < end) return;
      chunks.push(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  });
  from.on('close', () => clearInterval(timer)).on('end', () => to.end());
}
