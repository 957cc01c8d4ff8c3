import { once } from 'node:events';
import { Agent, type IncomingMessage, request as sendRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Entry, Ledger, Outcome } from './ledger.ts';
import { hostOf, LEDGER, PLAIN, SLEEPY, STREAM } from './services.ts';

/** How long a client waits for anything, in milliseconds. What takes longer hangs. */
export const CLIENT_TIMEOUT_MS = 45_000;
/** The pause between two events, and two messages of a WebSocket, in milliseconds. */
const BEAT_MS = 200;

/** Without it, a client that leaves would be taken for half-closed. */
const CLOSE_FRAME = Buffer.from([0x88, 0x80, 0, 0, 0, 0]);

/** The clients of an installation: a few, always active, each recorded in the ledger. */
export class Load {
  readonly #socketPath: string;
  readonly #ledger: Ledger;
  readonly #random: () => number;
  readonly #clients: Promise<void>[] = [];
  #stopping = new AbortController();

  constructor(socketPath: string, ledger: Ledger, random: () => number) {
    this.#socketPath = socketPath;
    this.#ledger = ledger;
    this.#random = random;
  }

  start(): void {
    this.#stopping = new AbortController();
    this.#clients.push(
      this.#repeat(
        () => 40,
        (agent) => this.#get(agent, PLAIN),
      ),
      this.#repeat(
        () => 40,
        (agent) => this.#get(agent, PLAIN),
      ),
      this.#repeat(
        () => 80,
        (agent) => this.#get(agent, LEDGER),
      ),
      this.#repeat(
        () => 40,
        (agent) => this.#post(agent),
      ),
      this.#repeat(
        () => 40,
        (agent) => this.#post(agent),
      ),
      this.#repeat(
        () => 200 + this.#random() * 1_500,
        (agent) => this.#get(agent, SLEEPY),
      ),
      this.#repeat(
        () => BEAT_MS,
        (agent) => this.#stream(agent),
      ),
      this.#repeat(
        () => BEAT_MS,
        () => this.#socket(),
      ),
    );
  }

  /** Sends no more requests, and waits for open ones. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#clients.splice(0));
  }

  // Private

  /** Acts as a client: one request after the other over a kept connection. */
  async #repeat(restMs: () => number, act: (agent: Agent) => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!signal.aborted) {
      await act(agent);
      await sleep(restMs(), undefined, { signal }).catch(() => {});
    }
    agent.destroy();
  }

  async #get(agent: Agent, service: string): Promise<void> {
    const entry = this.#ledger.begin('GET', service);
    await this.#exchange(agent, entry, { path: `/${entry.id}` }, `hello from ${service} at /${entry.id}\n`);
  }

  async #post(agent: Agent): Promise<void> {
    const entry = this.#ledger.begin('POST', LEDGER);
    const body = `the body of ${entry.id}`;
    await this.#exchange(agent, entry, { method: 'POST', path: `/once?id=${entry.id}`, body }, body);
  }

  async #exchange(
    agent: Agent,
    entry: Entry,
    { body, ...options }: { method?: string; path: string; body?: string },
    expected: string,
  ): Promise<void> {
    const request = sendRequest({
      ...options,
      socketPath: this.#socketPath,
      agent,
      headers: { Host: hostOf(entry.service), ...(body !== undefined && { 'Content-Length': body.length }) },
    });
    const timer = setTimeout(() => request.destroy(new Error('hangs')), CLIENT_TIMEOUT_MS);
    try {
      request.end(body);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += part;
      this.#ledger.end(entry, {
        type: 'answered',
        status: response.statusCode ?? 0,
        right: text === expected,
      });
    } catch (error) {
      this.#ledger.end(entry, cut(error));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Follows an event stream, whose numbers must have no gap. */
  async #stream(agent: Agent): Promise<void> {
    const { signal } = this.#stopping;
    const entry = this.#ledger.begin('stream', STREAM);
    const path = `/events?count=1000000&every=${BEAT_MS}`;
    const request = sendRequest({
      socketPath: this.#socketPath,
      path,
      agent,
      headers: { Host: hostOf(STREAM) },
    });
    const leave = () => {
      this.#ledger.close(entry);
      request.destroy();
    };
    signal.addEventListener('abort', leave, { once: true });
    const silence = setTimeout(() => request.destroy(new Error('hangs')), CLIENT_TIMEOUT_MS);
    try {
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      let seen = '';
      let last = 0;
      for await (const part of response.setEncoding('utf8')) {
        silence.refresh();
        if (response.statusCode !== 200) continue;
        const events = (seen + part).split('\n\n');
        seen = events.pop() ?? '';
        for (const event of events) {
          last += 1;
          if (event !== `data: ${last}`) {
            this.#ledger.end(entry, { type: 'answered', status: 200, right: false });
            request.destroy();
          }
        }
      }
      const status = response.statusCode ?? 0;
      // A stream that ends early has lost its rest.
      this.#ledger.end(
        entry,
        status === 200 ? { type: 'cut', reason: 'ended' } : { type: 'answered', status, right: false },
      );
    } catch (error) {
      this.#ledger.end(entry, cut(error));
    } finally {
      clearTimeout(silence);
      signal.removeEventListener('abort', leave);
    }
  }

  /** Uses a WebSocket whose messages are echoed. */
  async #socket(): Promise<void> {
    const { signal } = this.#stopping;
    const entry = this.#ledger.begin('socket', STREAM);
    const request = sendRequest({
      socketPath: this.#socketPath,
      agent: false,
      headers: {
        Host: hostOf(STREAM),
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      },
    });
    let socket: Duplex | undefined;
    const { promise: ended, resolve: end } = Promise.withResolvers<Outcome | undefined>();
    const leave = () => end(undefined);
    signal.addEventListener('abort', leave, { once: true });
    const silence = setTimeout(() => end({ type: 'cut', reason: 'hangs' }), CLIENT_TIMEOUT_MS);
    request.on('error', (error) => end(cut(error)));
    request.on('response', (response) => {
      response.resume();
      end({ type: 'answered', status: response.statusCode ?? 0, right: false });
    });
    request.on('upgrade', (_, upgraded) => {
      socket = upgraded;
      upgraded.on('error', () => {}).on('close', () => end({ type: 'cut', reason: 'closed' }));
      void beat(upgraded, signal, () => silence.refresh()).then((wrong) => {
        if (wrong) end({ type: 'answered', status: 200, right: false });
      });
    });
    request.end();
    const outcome = await ended;
    clearTimeout(silence);
    signal.removeEventListener('abort', leave);
    if (outcome === undefined) this.#ledger.close(entry);
    else this.#ledger.end(entry, outcome);
    if (socket?.writable)
      await once(socket.end(CLOSE_FRAME), 'close', { signal: AbortSignal.timeout(BEAT_MS * 5) }).catch(
        () => {},
      );
    request.destroy();
    socket?.destroy();
  }
}

/** Sends one number at a time and waits for its echo. Resolves with true if a wrong echo came, with false at the end. */
async function beat(socket: Duplex, signal: AbortSignal, heard: () => void): Promise<boolean> {
  let received = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
  });
  for (let i = 0; !signal.aborted && !socket.destroyed; i++) {
    const payload = Buffer.from(String(i).padStart(8, '0'));
    // Masked with zeros (RFC 6455 §5.2).
    socket.write(Buffer.concat([Buffer.from([0x81, 0x88, 0, 0, 0, 0]), payload]));
    while (received.length < 10 && !signal.aborted && !socket.destroyed) await sleep(10);
    if (received.length < 10) return false;
    if (!received.subarray(2, 10).equals(payload)) return true;
    received = received.subarray(10);
    heard();
    await sleep(BEAT_MS, undefined, { signal }).catch(() => {});
  }
  return false;
}

function cut(error: unknown): Outcome {
  const { code, message } = error as NodeJS.ErrnoException;
  return { type: 'cut', reason: code ?? message };
}
