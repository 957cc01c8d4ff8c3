/** The kinds of requests: without a body, one that must not be executed twice, a long answer, an upgrade. */
export type Kind = 'GET' | 'POST' | 'stream' | 'socket';

/** The outcome: an answer with its status, or a connection that ended without a complete one. */
export type Outcome =
  | {
      readonly type: 'answered';
      readonly status: number /** Is it the answer to this request? */;
      right: boolean;
    }
  | { readonly type: 'cut'; readonly reason: string };

/** What may fail during a fault, and how. */
export interface Excuse {
  /** Default: all. */
  readonly services?: readonly string[];
  /** Default: all. */
  readonly kinds?: readonly Kind[];
  /** The statuses that may be answered, and whether the connection may be cut. */
  readonly by: readonly (number | 'cut')[];
}

/** The time from a fault's injection until everything had recovered, in milliseconds of the entries' clock. */
export interface FaultWindow {
  readonly fault: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly excuses: readonly Excuse[];
}

/** One request of a client. */
export interface Entry {
  readonly id: string;
  readonly kind: Kind;
  readonly service: string;
  readonly sentAtMs: number;
  endedAtMs?: number;
  outcome?: Outcome;
}

/** Records requests and their outcomes, and finds violations. */
export class Ledger {
  readonly #now: () => number;
  readonly #open = new Set<Entry>();
  readonly #ended: Entry[] = [];
  #count = 0;

  /** @param now a monotonic clock, in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many requests were sent in total. */
  get count(): number {
    return this.#count;
  }

  /** The entries that have not ended. */
  get open(): ReadonlySet<Entry> {
    return this.#open;
  }

  begin(kind: Kind, service: string): Entry {
    this.#count += 1;
    const entry = { id: `${kind}-${this.#count}`, kind, service, sentAtMs: this.#now() };
    this.#open.add(entry);
    return entry;
  }

  end(entry: Entry, outcome: Outcome): void {
    if (!this.#open.delete(entry)) return;
    this.#ended.push(Object.assign(entry, { endedAtMs: this.#now(), outcome }));
  }

  /** Called when the client itself has ended a stream or a socket. */
  close(entry: Entry): void {
    this.#open.delete(entry);
  }

  /**
   * Finds violations: a wrong answer, a failure that no fault excuses, a request that hangs, a POST that was executed
   * twice, or was answered but not executed. Reports each finished entry once.
   *
   * @param executed how often each POST was executed, by id
   * @param hangsAfterMs how long anything but a stream or socket may take
   */
  audit(
    windows: readonly FaultWindow[],
    executed: ReadonlyMap<string, number>,
    hangsAfterMs: number,
  ): string[] {
    const violations = [...this.#open]
      .filter(({ kind, sentAtMs }) => isRequest(kind) && this.#now() - sentAtMs > hangsAfterMs)
      .map((entry) => `${describe(entry)} hangs`);
    for (const entry of this.#ended.splice(0)) {
      const violation = judge(entry, windows) ?? judgeExecution(entry, executed.get(entry.id) ?? 0);
      if (violation !== undefined) violations.push(`${describe(entry)} ${violation}`);
    }
    return violations;
  }
}

function isRequest(kind: Kind): boolean {
  return kind === 'GET' || kind === 'POST';
}

function judge(entry: Entry, windows: readonly FaultWindow[]): string | undefined {
  const { outcome } = entry;
  if (outcome === undefined) return undefined;
  if (outcome.type === 'answered' && outcome.status === 200) {
    return outcome.right ? undefined : 'got an answer that is not its own';
  }
  const overlapping = windows.filter((window) => overlaps(entry, window));
  if (overlapping.some(({ excuses }) => excuses.some((excuse) => covers(excuse, entry, outcome)))) {
    return undefined;
  }
  const what = outcome.type === 'cut' ? `was cut (${outcome.reason})` : `got ${outcome.status}`;
  const during = overlapping.map(({ fault }) => fault).join(', ');
  return `${what} ${during === '' ? 'while nothing was wrong' : `during: ${during}`}`;
}

/** For streams and sockets only the end counts, since they may have begun long before. */
function overlaps({ kind, sentAtMs, endedAtMs = sentAtMs }: Entry, { fromMs, toMs }: FaultWindow): boolean {
  return (isRequest(kind) ? sentAtMs : endedAtMs) <= toMs && endedAtMs >= fromMs;
}

function covers({ services, kinds, by }: Excuse, { service, kind }: Entry, outcome: Outcome): boolean {
  return (
    (services === undefined || services.includes(service)) &&
    (kinds === undefined || kinds.includes(kind)) &&
    by.includes(outcome.type === 'cut' ? 'cut' : outcome.status)
  );
}

function judgeExecution({ kind, outcome }: Entry, times: number): string | undefined {
  if (kind !== 'POST') return undefined;
  if (times > 1) return `was executed ${times} times`;
  const answered = outcome?.type === 'answered' && outcome.status === 200;
  return answered && times === 0 ? 'was answered, but not executed' : undefined;
}

function describe({ id, service, sentAtMs, endedAtMs }: Entry): string {
  const took = endedAtMs === undefined ? '' : `, ${Math.round(endedAtMs - sentAtMs)} ms`;
  return `${id} for ${service} (at ${Math.round(sentAtMs)}${took})`;
}
