import { type IncomingMessage, request } from 'node:http';
import type { Readable } from 'node:stream';

/** What dockerode passes for a call. */
interface DialOptions {
  readonly path: string;
  readonly method?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly isStream?: boolean;
  readonly statusCodes?: Readonly<Record<number, boolean | string>>;
}

type Callback = (error: Error | null, answer: unknown) => void;

/** Far larger than any answer of the engine that is read as a whole, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** The engine answered with a status that the call does not expect. */
export class StatusError extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/**
 * Replaces docker-modem for calls over the engine's Unix socket. Unlike it, follows no redirects (docker-modem
 * connects to whatever host they name, and an error then ends the process), ends with the signal, and treats an
 * answer that breaks off as an error. Supports neither uploads nor hijacked connections.
 *
 * Each call uses a new connection: after a restart of the engine, a kept one would fail just when a POST uses it.
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
      response.on('error', reject); // so that an error always has a listener, even after the stream is no longer read
      const status = response.statusCode ?? 0;
      if (statusCodes[status] !== true) {
        readWhole(response).then((text) => reject(new StatusError(status, messageOf(text))), reject);
      } else if (isStream) resolve(response);
      else readWhole(response).then((bytes) => resolve(parsed(bytes)), reject);
    });
    outgoing.end(body);
  }
}

/** Dockerode passes query and body as one object; for a POST, values that are objects belong to the body. */
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

/** Parses an answer as JSON; returns its bytes if it is not. */
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
