import { EventEmitter, once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EdgeUnderTest, HalfRequestError, takeRequest } from '@cless/testkit';
import { startEdge } from './edge-under-test.ts';

/** What a client sends, and what its instance does. */
export interface Case {
  readonly name: string;
  /** What the client sends, to `raw.test`. */
  readonly bytes: string;
  /** Where it is cut in two. Default: not at all. */
  readonly cutAt?: number;
  /** What the instance answers each request with. Default: an echo. */
  readonly answer?: string;
  /** Where that is cut in two. */
  readonly answerCutAt?: number;
  /** What the instance does afterwards. */
  readonly ending?: 'end' | 'reset';
  /** Does the client end its side afterwards? */
  readonly ends?: boolean;
}

interface Outcome {
  /** What the instance has received, its connections one after the other. */
  readonly arrived: string;
  /** What the client has received. */
  readonly answers: readonly string[];
  readonly closed: boolean;
}

const WARM = 'GET /warm HTTP/1.1\r\nHost: raw.test\r\n\r\n';
/** What came of a case both ways. */
export interface Difference {
  readonly full: Outcome;
  readonly lane: Outcome;
}

/** Ends the connection, so that nobody has to wait for more. */
export const LAST = 'GET /last HTTP/1.1\r\nHost: raw.test\r\nConnection: close\r\n\r\n';
/** Between two writes, so that they are not read as one, in milliseconds. */
const PAUSE_MS = 3;
/**
 * Whoever is silent for so long has said everything, in milliseconds: at each try, of which further ones follow if there is a
 * difference, since the machine may be busy with something else.
 */
export const TRIES_MS: readonly number[] = [400, 4_000, 5_000];
/** Has no body if it seems to have been a HEAD, which can be told best if nothing is before it. */
const BAD_REQUEST = /^HTTP\/1\.1 400 .*\r\nContent-Type: application\/problem\+json\r\n/;
const NOT_FOUND = /^HTTP\/1\.1 404 .*\r\nContent-Type: application\/problem\+json\r\n/;
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
/** None of these is waited for: they are not so precise. */
const RESPONSE_TIMEOUT_MS = 30_000;
/** How many cases share two edges, with a service for each try of each case. */
export const BATCH = 200;

/** The name of a case's service, as long as `raw`. Two of them differ in two letters, so that none is mutated to another. */
export function nameOf(index: number): string {
  const [first, second] = [Math.floor(index / 26), index % 26];
  return String.fromCharCode(...[first, second, (first + second) % 26].map((letter) => 97 + letter));
}

/** The instance of all services of one edge. It tells connections apart by the first request on each. */
class Instance {
  readonly cases = new Map<string, Case>();
  readonly #emitter = new EventEmitter();
  readonly #received = new Map<string, string[]>();
  readonly #sockets = new Map<Socket, string | undefined>();
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => this.#onConnection(socket));

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get endpoint() {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  /** What has been received for the service but for what warms it up. */
  received(service: string): string {
    return (this.#received.get(service) ?? []).join('');
  }

  /** Resolves when the service has given its answer. */
  async answered(service: string): Promise<void> {
    await once(this.#emitter, service);
    await sleep(PAUSE_MS);
  }

  forget(service: string): void {
    this.cases.delete(service);
    this.#received.delete(service);
    for (const [socket, of] of this.#sockets) if (of === service) socket.destroy();
  }

  stop(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
    this.#server.close();
  }

  // Private

  #onConnection(socket: Socket): void {
    let rest = '';
    let service: string | undefined;
    this.#sockets.set(socket, undefined);
    socket
      .setNoDelay()
      .on('error', () => {})
      .once('close', () => this.#sockets.delete(socket))
      .once('end', () => socket.end());
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      rest += text;
      service ??= /^host: ([a-z]{3})\./im.exec(rest)?.[1]?.toLowerCase();
      if (service === undefined) return;
      this.#sockets.set(socket, service);
      if (!rest.startsWith('GET /warm ')) this.#note(service, text);
      rest = this.#answer(socket, service, rest);
    });
  }

  #note(service: string, text: string): void {
    const received = this.#received.get(service) ?? [];
    this.#received.set(service, received);
    received.push(text);
  }

  /** Answers the complete requests. @returns the rest */
  #answer(socket: Socket, service: string, bytes: string): string {
    let rest = bytes;
    while (rest !== '') {
      try {
        const [{ line, body }, after] = takeRequest(rest);
        rest = after;
        const told = this.cases.get(service);
        if (told?.answer === undefined || / \/(?:warm|last) /.test(line)) {
          const echo = `${line} ${body}`;
          const head = `HTTP/1.1 200 OK\r\nContent-Length: ${echo.length}\r\n\r\n`;
          socket.write(line.startsWith('HEAD ') ? head : head + echo, 'latin1');
        } else {
          void say(socket, told.answer, told.answerCutAt).then(async () => {
            if (told.ending === 'end') socket.end();
            else if (told.ending === 'reset') socket.resetAndDestroy();
            if (told.ending !== undefined && !socket.destroyed) await once(socket, 'close');
            this.#emitter.emit(service);
          });
        }
      } catch (error) {
        if (error instanceof HalfRequestError) return rest;
        this.#note(service, `\nAMBIGUOUS: ${(error as Error).message}\n`);
        socket.destroy();
        return '';
      }
    }
    return rest;
  }
}

/** Writes the text in two parts, unless it is cut at 0. */
async function say(socket: Socket, text: string, cutAt = 0, pause = () => sleep(PAUSE_MS)): Promise<void> {
  if (cutAt > 0) {
    socket.write(text.slice(0, cutAt), 'latin1');
    await pause();
  }
  if (socket.writable) socket.write(text.slice(cutAt), 'latin1');
  await sleep(PAUSE_MS);
}

interface Patience {
  /** After how long without a byte nothing more is expected, in milliseconds. */
  readonly quietMs: number;
  /** Is it all that is expected? */
  readonly enough?: (text: string) => boolean;
  /** Between the two writes. */
  readonly pause?: () => Promise<void>;
}

/** Sends what the case says. */
async function send(
  port: number,
  { bytes, cutAt, ends = false }: Pick<Case, 'bytes' | 'cutAt' | 'ends'>,
  { quietMs, enough = () => false, pause }: Patience,
): Promise<{ text: string; closed: boolean }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const over = Promise.withResolvers<void>();
  let text = '';
  let closed = false;
  const close = () => {
    closed = true;
    over.resolve();
  };
  let timer = setTimeout(over.resolve, quietMs);
  socket
    .on('data', (chunk) => {
      text += chunk.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(over.resolve, enough(text) ? PAUSE_MS : quietMs);
    })
    .once('end', close)
    .once('close', close)
    .on('error', () => {});
  await say(socket, bytes, cutAt, pause);
  if (ends) socket.end();
  await over.promise;
  clearTimeout(timer);
  socket.destroy();
  return { text, closed };
}

/**
 * The answers in the bytes, one by one, with their chunks joined. One that breaks off is not among them: how much of it has
 * been sent by then is a matter of time.
 */
function answersIn(text: string, closed: boolean): string[] {
  const answers: string[] = [];
  let rest = text;
  let isWhole = true;
  while (rest !== '' && isWhole) {
    const end = rest.indexOf('\r\n\r\n');
    const head = rest.slice(0, end === -1 ? undefined : end);
    const after = end === -1 ? '' : rest.slice(end + 4);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    const isChunked = /^transfer-encoding: chunked$/im.test(head);
    let body = '';
    if (/^HTTP\/1\.1 (?:1\d\d|204|304) /.test(head) || after.startsWith('HTTP/1.1 ')) {
      rest = after; // the latter to a HEAD
    } else if (isChunked) {
      [body, rest, isWhole] = unchunk(after);
    } else {
      body = after.slice(0, length);
      rest = after.slice(length);
      isWhole = (end !== -1 && body.length === length) || BAD_REQUEST.test(head);
    }
    answers.push(
      `${head.replaceAll(/^Date: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT$/gm, 'Date: now')}\n${body}`,
    );
  }
  if (closed && !isWhole) answers.pop();
  return answers.map(withoutWhatVaries);
}

/** Which of our checks refused it first does not matter. */
function withoutWhatVaries(answer: string): string {
  return answer
    .replaceAll(UUID, 'uuid')
    .replaceAll(/^Server-Timing: cless-.*\r\n/gm, '')
    .replaceAll(/(application\/problem\+json)\r\nContent-Length: \d+/g, '$1')
    .replaceAll(/\{"type":"[^"#]*#([a-z-]+)"[^\n]*\n/g, '{"type":"$1"}')
    .replace('{"type":"bad-request"}', '');
}

/** The data and trailers of a body in chunks, what follows it, and is it whole? */
function unchunk(bytes: string): [body: string, rest: string, isWhole: boolean] {
  let data = '';
  let rest = bytes;
  for (;;) {
    const [line, digits] = /^([0-9a-f]+)\r\n/.exec(rest) ?? [];
    if (line === undefined || digits === undefined) return [data, '', false];
    rest = rest.slice(line.length);
    const size = Number.parseInt(digits, 16);
    if (size === 0) {
      const [trailers = ''] = /^(?:[^\r\n]+\r\n)*\r\n/.exec(rest) ?? [];
      return [`${data}\n${trailers}`, rest.slice(trailers.length), trailers !== ''];
    }
    if (rest.length < size + 2) return [data, '', false];
    data += rest.slice(0, size);
    rest = rest.slice(size + 2);
  }
}

/** Two edges, each with its instance, and a service for each case. */
export class BothWays {
  readonly #instances = [new Instance(), new Instance()] as const;
  readonly #edges: EdgeUnderTest[] = [];
  readonly #services = Array.from({ length: TRIES_MS.length * BATCH }, (_, i) => nameOf(i));

  async start(): Promise<void> {
    for (const [i, way] of (['undici', 'lane'] as const).entries()) {
      const instance = this.#instances[i as 0 | 1];
      await instance.listen();
      const endpoints = Object.fromEntries(this.#services.map((name) => [name, instance.endpoint]));
      const options = { responseTimeoutMs: RESPONSE_TIMEOUT_MS };
      this.#edges.push(await startEdge(way, endpoints, options));
    }
  }

  async stop(): Promise<void> {
    for (const edge of this.#edges) await edge.close();
    for (const instance of this.#instances) instance.stop();
  }

  /** Afterwards the service's instance is ready, and has a connection of each way. */
  async warm(service: string): Promise<void> {
    for (const { port } of this.#edges) {
      for (let i = 0; i < 2; i++) {
        await send(
          port,
          { bytes: WARM.replace('raw', service) },
          {
            quietMs: Math.max(...TRIES_MS),
            enough: (text) => text.includes('/warm'),
          },
        );
      }
    }
  }

  /** @returns undefined if both ways are the same */
  async compare(one: Case, service: string, quietMs: number): Promise<Difference | undefined> {
    const full = await this.#run(0, service, one, quietMs);
    const lane = await this.#run(1, service, one, quietMs);
    if (JSON.stringify(full) === JSON.stringify(lane)) return undefined;
    // Whether a connection goes on after a refusal depends on how much of the request has come by then.
    if ([...full.answers, ...lane.answers].some((answer) => NOT_FOUND.test(answer))) return undefined;
    return { full, lane };
  }

  async #run(edge: 0 | 1, service: string, one: Case, quietMs: number): Promise<Outcome> {
    const instance = this.#instances[edge];
    instance.cases.set(service, one);
    const bytes = one.bytes.replaceAll(/raw(?=\.test)/gi, service);
    const { port } = this.#edges[edge] as EdgeUnderTest;
    // What follows a request must not meet the end of the instance's connection.
    const pause = () => Promise.race([instance.answered(service), sleep(quietMs)]);
    const { text, closed } = await send(
      port,
      { ...one, bytes },
      { quietMs, ...(one.answer !== undefined && { pause }) },
    );
    await sleep(quietMs / 100); // the instance may get the rest a moment later
    const arrived = instance.received(service).replaceAll(UUID, 'uuid');
    instance.forget(service);
    const answers = answersIn(text, closed);
    // Of a reason that comes in two parts, undici has only the second.
    const shown = one.answerCutAt
      ? answers.map((answer) => answer.replace(/^(HTTP\/1\.1 \d{3}).*/, '$1'))
      : answers;
    return { arrived, answers: shown, closed };
  }
}
