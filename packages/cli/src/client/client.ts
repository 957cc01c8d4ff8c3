import type {
  Change,
  Instance,
  LastStart,
  Problem,
  RemovedVolumes,
  Revision,
  RevisionInput,
  Service,
  ServiceInput,
  Status,
  Traffic,
} from '@cless/admin/schemas';
import { LOG_BROKE_OFF } from '@cless/admin/schemas';
import { Failure } from '@cless/model';
import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream';
import { AdminProblem } from './problem.ts';

export interface DeployOptions {
  /** The percentage of traffic the revision gets once it is ready; zero means none. Default 100. */
  readonly traffic?: number | undefined;
  readonly tag?: string | undefined;
  /** Pull the image first? */
  readonly pull?: boolean | undefined;
  /** Reuse the latest revision if it is equal and ready? */
  readonly ifChanged?: boolean | undefined;
}

export interface Progress {
  readonly step: string;
  readonly message: string;
}

/** An event of the admin API. */
export interface AdminEvent {
  readonly id: string;
  readonly time: string;
  readonly type: string;
  readonly service?: string;
  readonly revision?: string;
  readonly instance?: string;
  readonly [fact: string]: unknown;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Call {
  readonly query?: Query;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * How long an answer may take to begin, in milliseconds. A change may have to wait for a stuck worker, a preview for
 * the engine.
 */
const ANSWER_TIMEOUT_MS = { read: 10_000, change: 60_000 };

/**
 * A client of the admin API.
 *
 * Methods throw {@link AdminProblem} if the API refuses, and an error with code `UNREACHABLE` or `BROKEN_OFF` if it cannot be reached, does
 * not answer, or the connection breaks off. When their signal is aborted, streams end without an error; other methods
 * throw its reason.
 *
 * @example
 * const client = new AdminClient({ url: 'http://127.0.0.1:7070', token });
 * await client.putService('web', { hosts: ['web.example'] });
 * await client.deploy('web', { image: 'golang-docker' });
 */
export class AdminClient {
  readonly #url: string;
  readonly #token: string;
  readonly #signal: AbortSignal | undefined;

  /** @param options.signal aborts every request of this client */
  constructor({ url, token, signal }: { url: string; token: string; signal?: AbortSignal | undefined }) {
    this.#url = url.replace(/\/+$/, '');
    this.#token = token;
    this.#signal = signal;
  }

  status(): Promise<Status> {
    return this.#json('GET', '/v1/status');
  }

  /** All services, by name. */
  services(): Promise<Service[]> {
    return this.#pages('/v1/services');
  }

  /** A service; undefined if there is none. */
  service(name: string): Promise<Service | undefined> {
    return this.#find(servicePath(name));
  }

  /**
   * How the last start of a service went, registered or by convention; undefined if there was none since the proxy
   * started.
   */
  lastStart(service: string): Promise<LastStart | undefined> {
    return this.#find(servicePath(service, 'start'));
  }

  /** @param version fails unless the service is at this version, or for `absent`, does not exist */
  putService(name: string, body: Partial<ServiceInput>, version?: number | 'absent'): Promise<Service> {
    return this.#json('PUT', servicePath(name), {
      body,
      headers: precondition(version),
    });
  }

  /**
   * Removes a service, and with `volumes` the volumes its images declared, with their content.
   *
   * @returns the volumes that were removed and those that are left
   */
  async removeService(name: string, { volumes = false } = {}): Promise<RemovedVolumes> {
    const response = await this.#call('DELETE', servicePath(name), { query: { volumes } });
    return response.status === 204 ? { removed: [], left: [] } : this.#read(response);
  }

  /** All revisions, newest first. */
  revisions(service: string): Promise<Revision[]> {
    return this.#pages(servicePath(service, 'revisions'));
  }

  async removeRevision(service: string, revision: string): Promise<void> {
    await this.#call('DELETE', servicePath(service, 'revisions', revision));
  }

  setTraffic(service: string, body: Traffic, version?: number): Promise<Traffic> {
    return this.#json('PUT', servicePath(service, 'traffic'), {
      body,
      headers: precondition(version),
    });
  }

  /** Deploys and reports progress. If the revision does not get ready, rejects with the reason and the last log lines. */
  async deploy(
    service: string,
    body: RevisionInput,
    options: DeployOptions = {},
    onProgress: (progress: Progress) => void = () => {},
  ): Promise<Revision & { readonly created: boolean }> {
    const response = await this.#call('POST', servicePath(service, 'revisions'), {
      body,
      query: { ...options },
      headers: { Accept: 'text/event-stream' },
    });
    for await (const { event, data } of this.#events(response)) {
      const content = this.#parse(data);
      if (event === 'progress') onProgress(content as Progress);
      else if (event === 'revision') return content as Revision & { created: boolean };
      else if (event === 'problem') throw new AdminProblem(content as Problem);
    }
    throw new Failure('BROKEN_OFF', `${this.#url} ended the connection in the middle of the deploy`);
  }

  /** Says what a deploy would change. */
  async preview(service: string, body: RevisionInput, options: DeployOptions = {}): Promise<Change[]> {
    const { changes } = await this.#json<{ changes: Change[] }>('POST', servicePath(service, 'revisions'), {
      body,
      query: { ...options, dryRun: true },
    });
    return changes;
  }

  async instances(service?: string): Promise<Instance[]> {
    const { items } = await this.#json<{ items: Instance[] }>('GET', '/v1/instances', { query: { service } });
    return items;
  }

  /** Stops an instance as soon as it is not in use. */
  async stop(instance: string): Promise<void> {
    await this.#call('DELETE', `/v1/instances/${encodeURIComponent(instance)}`);
  }

  /** The last lines an instance has written; with `follow`, also those it writes from now on. */
  async *logs(
    instance: string,
    options: { readonly lines?: number; readonly follow?: boolean; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<string> {
    const { signal, ...query } = options;
    const path = `/v1/instances/${encodeURIComponent(instance)}/logs`;
    try {
      let rest = '';
      for await (const text of this.#text(await this.#call('GET', path, { query, signal }))) {
        const parts = (rest + text).split('\n');
        rest = parts.pop() ?? '';
        // What may be the last line, by which the API tells that it is not whole, waits for what follows.
        if (rest === '' && parts.at(-1)?.startsWith(LOG_BROKE_OFF)) rest = `${parts.pop()}\n`;
        yield* parts;
      }
      if (rest.startsWith(LOG_BROKE_OFF))
        throw new Failure('BROKEN_OFF', rest.trimEnd().replace(/^cless: /, ''));
      if (rest !== '') yield rest;
    } catch (error) {
      if (!this.#isAborted(signal)) throw error;
    }
  }

  /** Events as they happen, until the signal is aborted. */
  async *events(
    options: { readonly service?: string | undefined; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<AdminEvent> {
    const { service, signal } = options;
    try {
      const response = await this.#call('GET', '/v1/events', { query: { service }, signal });
      for await (const { data } of this.#events(response)) yield this.#parse(data) as AdminEvent;
    } catch (error) {
      if (!this.#isAborted(signal)) throw error;
    }
  }

  // Private

  async #pages<T extends { name: string }>(path: string): Promise<T[]> {
    const all: T[] = [];
    let after: string | undefined;
    do {
      const page: { items: T[]; next?: string } = await this.#json('GET', path, {
        query: { after, limit: 1_000 },
      });
      all.push(...page.items);
      after = page.next;
    } while (after !== undefined);
    return all;
  }

  async #json<T>(method: string, path: string, call: Call = {}): Promise<T> {
    return this.#read(await this.#call(method, path, call));
  }

  /** GET that gives undefined for a 404. */
  async #find<T>(path: string): Promise<T | undefined> {
    try {
      return await this.#json<T>('GET', path);
    } catch (error) {
      if (error instanceof AdminProblem && error.problem.status === 404) return undefined;
      throw error;
    }
  }

  async #call(
    method: string,
    path: string,
    { query = {}, body, headers = {}, signal }: Call = {},
  ): Promise<Response> {
    const url = new URL(this.#url + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const late = new AbortController();
    const patienceMs = ANSWER_TIMEOUT_MS[method === 'GET' ? 'read' : 'change'];
    const timer = setTimeout(() => late.abort(), patienceMs);
    const signals = [late.signal, signal, this.#signal].filter((one) => one !== undefined);
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        headers: {
          Authorization: `Bearer ${this.#token}`,
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any(signals),
      });
    } catch (error) {
      this.#throwIfAborted(signal);
      if (late.signal.aborted)
        throw new Failure(
          'UNREACHABLE',
          `the admin API at ${this.#url} has not answered within ${patienceMs / 1_000} s; is it the admin API?`,
        );
      throw new Failure(
        'UNREACHABLE',
        `the admin API at ${this.#url} cannot be reached (${causeOf(error)}); is the proxy running?`,
      );
    } finally {
      clearTimeout(timer);
    }
    const type = response.headers.get('content-type') ?? '';
    if (type.startsWith('application/problem+json')) throw new AdminProblem(await this.#read(response));
    if (response.ok && !type.startsWith('text/html')) return response;
    await response.body?.cancel();
    throw this.#stranger(`${response.status}${type === '' ? '' : ` with ${type}`}`);
  }

  /** The body as JSON. @throws with code `BROKEN_OFF`, if it breaks off */
  async #read<T>(response: Response): Promise<T> {
    let text = '';
    for await (const part of this.#text(response)) text += part;
    return this.#parse(text) as T;
  }

  /** The body, as it comes. @throws with code `BROKEN_OFF`, if it breaks off */
  async *#text(response: Response): AsyncGenerator<string> {
    if (response.body === null) return;
    try {
      yield* response.body.pipeThrough(new TextDecoderStream());
    } catch (error) {
      this.#throwIfAborted();
      if (error instanceof TypeError)
        throw new Failure('BROKEN_OFF', `the connection to ${this.#url} broke off (${causeOf(error)})`);
      throw error;
    }
  }

  async *#events(response: Response): AsyncGenerator<EventSourceMessage> {
    yield* ReadableStream.from(this.#text(response)).pipeThrough(new EventSourceParserStream());
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.#stranger('what is no JSON');
    }
  }

  #stranger(answer: string): Failure {
    return new Failure(
      'UNREACHABLE',
      `${this.#url} answered ${answer}, and not as the admin API does; is that its address?`,
    );
  }

  #isAborted(signal?: AbortSignal): boolean {
    return this.#signal?.aborted === true || signal?.aborted === true;
  }

  #throwIfAborted(signal?: AbortSignal): void {
    this.#signal?.throwIfAborted();
    signal?.throwIfAborted();
  }
}

/** The reason the system gives for a failure. */
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : String(error));
}

function servicePath(...segments: string[]): string {
  return ['/v1/services', ...segments.map(encodeURIComponent)].join('/');
}

function precondition(version: number | 'absent' | undefined): Record<string, string> {
  if (version === undefined) return {};
  return version === 'absent' ? { 'If-None-Match': '*' } : { 'If-Match': `"${version}"` };
}
