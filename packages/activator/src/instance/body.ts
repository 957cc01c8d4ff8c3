import { type Clock, conceal, type Endpoint } from '@cless/model';
import type { InstanceEvent, StopReason } from '../event.ts';
import type { Revision } from '../revision.ts';
import type { RuntimeInstance } from '../runtime.ts';
import type { Drive } from './drive.ts';
import { canBecome, type InstanceState } from './state.ts';

/** Told about what happens to an instance. */
export interface BodyListener {
  tell(event: InstanceEvent): void;
  /** Called when the runtime has given it an id; `before` is the one it replaces. */
  identified(id: string, before: string | undefined): void;
  /** Called after each change of the state. */
  became(state: InstanceState): void;
  /** Called when its endpoint has changed. */
  moved(): void;
  /** Called when its idle time must restart although it was not in use. */
  touched(): void;
  /** Called when a call failed or may have left something behind, so that what runs should be compared soon. */
  doubt(): void;
}

/** The state of an instance, and the only place that changes it. */
export class Body<R extends Revision = Revision> {
  readonly revision: R;
  readonly drive: Drive<R>;
  readonly listener: BodyListener;
  #state: InstanceState = 'starting';
  #id: string | undefined;
  #endpoint: Endpoint | undefined;
  /** Why it is being stopped or has ended. The first reason counts. */
  stopReason: StopReason | undefined;

  constructor(revision: R, drive: Drive<R>, listener: BodyListener) {
    this.revision = revision;
    this.drive = drive;
    this.listener = listener;
  }

  get state(): InstanceState {
    return this.#state;
  }

  get clock(): Clock {
    return this.drive.clock;
  }

  get id(): string | undefined {
    return this.#id;
  }

  /** Its last known endpoint. */
  get endpoint(): Endpoint | undefined {
    return this.#endpoint;
  }

  /** Its id. @throws if the runtime has not given it one yet */
  known(): string {
    if (this.#id === undefined) throw new Error(`an instance that is ${this.#state} has no id`);
    return this.#id;
  }

  become(next: InstanceState): void {
    if (!canBecome(this.#state, next))
      throw new Error(`an instance cannot go from ${this.#state} to ${next}`);
    this.#state = next;
    this.listener.became(next);
  }

  /** Is it in that state? Must be asked again after each await. */
  is(state: InstanceState): boolean {
    return this.#state === state;
  }

  identify(id: string): void {
    if (this.#id === id) return;
    const before = this.#id;
    this.#id = id;
    this.listener.identified(id, before);
  }

  /** Sets its first endpoint. */
  settle(endpoint: Endpoint): void {
    this.#endpoint = endpoint;
  }

  /** Sets a new endpoint, and breaks off what is open to the old one. */
  move(endpoint: Endpoint): void {
    const { host, port } = this.#endpoint ?? {};
    if (host === endpoint.host && port === endpoint.port) return;
    this.#endpoint = endpoint;
    this.listener.moved();
    this.drive.connections.destroy(this.known(), new Error("the instance's address has changed"));
  }

  /** Asks the runtime for its state. */
  async inspect(): Promise<RuntimeInstance | 'unknown' | undefined> {
    try {
      return await this.drive.runtime.inspect(this.known());
    } catch {
      return 'unknown';
    }
  }

  /** Its last log lines without its secrets; empty if the runtime has none. */
  async lastLogLines(id: string): Promise<readonly string[]> {
    return this.conceal((await this.drive.runtime.logs?.(id).catch(() => [])) ?? []);
  }

  conceal(lines: readonly string[]): readonly string[] {
    const { secrets = [] } = this.revision;
    return lines.map((line) => conceal(line, secrets));
  }
}
