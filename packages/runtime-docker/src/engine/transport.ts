import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';

/** What dockerode hands over for a call. */
interface DialOptions {
  readonly path: string;
  readonly method?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly isStream?: boolean;
  readonly statusCodes?: Readonly<Record<number, boolean | string>>;
}

type Callback = (error: Error | null, answer: unknown) => void;

/** No answer of the engine that is read whole is near this. In bytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The engine's answer has another status than those that the call expects. */
export class StatusError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/**
 * What dockerode calls its modem, for one call to an engine's Unix socket. Unlike docker-modem's it follows no
 * redirect (that one asks a host of the redirect's choice, and an error of it ends the process), it ends with the
 * signal, and an answer that breaks off is an error. Uploads and taken-over connections are not for it.
 *
 * Each call has a connection of its own: one kept alive would be stale after the engine's restart, just when a POST
 * uses it.
 */
export class Transport {
  /** Set by dockerode. */
  Promise = Promise;
  readonly #socketPath: string;
  readonly #signal: AbortSignal;

  constructor(socketPath: string, signal: AbortSignal) {
    this.#socketPath = socketPath;
    this.#signal = signal;
  }

  dial(
    { path, method = 'GET', options = {}, isStream = false, statusCodes = {} }: DialOptions,
    callback: Callback,
  ): void {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    promise.then(
      (answer) => callback(null, answer),
      (error: Error) => callback(error, null),
    );
    const body = method === 'POST' ? bodyOf(options) : undefined;
    const outgoing = request({
      socketPath: this.#socketPath,
      path: pathOf(path, method, options),
      method,
      agent: false,
      signal: this.#signal,
      headers: {
        Host: 'docker',
        Connection: 'close',
        ...(body !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
        }),
      },
    });
    outgoing.on('error', reject);
    outgoing.on('close', () => reject(new Error('the connection closed without an answer')));
    outgoing.on('response', (response) => {
      response.on('error', reject); // and never unheard, also when nobody reads the stream any more
      const status = response.statusCode ?? 0;
      if (statusCodes[status] !== true) {
        readWhole(response).then((text) => reject(new StatusError(status, messageOf(text))), reject);
      } else if (isStream) resolve(response);
      else readWhole(response).then((bytes) => resolve(parsed(bytes)), reject);
    });
    outgoing.end(body);
  }
}

/** Dockerode gives query and body in one; what has structure belongs into the body of a POST. */
function pathOf(path: string, method: string, options: Readonly<Record<string, unknown>>): string {
  if (!path.endsWith('?')) return path;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    if (typeof value !== 'object') query.set(name, String(value));
    else if (method !== 'POST') query.set(name, JSON.stringify(value));
  }
  return query.size === 0 ? path.slice(0, -1) : path + query.toString();
}

function bodyOf(options: Readonly<Record<string, unknown>>): string | undefined {
  return Object.keys(options).length === 0 ? undefined : JSON.stringify(options);
}

async function readWhole(stream: Readable & Pick<IncomingMessage, 'complete'>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error(`the answer has more than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  if (!stream.complete) throw new Error('the answer broke off');
  return Buffer.concat(chunks);
}

/** The JSON of an answer, or its bytes where it is none. */
function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return bytes;
  }
}

function messageOf(bytes: Buffer): string {
  const answer = parsed(bytes);
  if (
    typeof answer === 'object' &&
    answer !== null &&
    'message' in answer &&
    typeof answer.message === 'string'
  )
    return answer.message;
  return bytes.toString().slice(0, 1_000).trim();
}
