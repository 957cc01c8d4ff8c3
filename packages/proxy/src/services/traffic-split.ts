import { Failure, type FixedAnswer, type Revision, type WakeFilter } from '@cless/model';
import type { Fields } from '../exchange/incoming.ts';
import type { Choice, ServedService } from './source.ts';

export interface TrafficSplitOptions {
  readonly service: string;
  readonly splits: readonly { readonly revision: Revision; readonly percent: number }[];
  readonly tags: ReadonlyMap<string, Revision>;
  /** Finds the revision that a request chooses by header; undefined if requests may not. */
  readonly byHeader: ((name: string) => Revision | undefined) | undefined;
  /** Does a cookie keep clients at the revision they got first? */
  readonly sticky: boolean;
  readonly wakeFilter: WakeFilter | undefined;
  /** Returns a number from 0 to below 1. */
  readonly random?: () => number;
}

const COOKIE = 'cless-revision';

/** A service with several revisions: chooses the one for a request, and knows which requests wake it. */
export class TrafficSplit implements ServedService {
  readonly serves: boolean;
  readonly revisions: readonly Revision[];
  readonly #options: TrafficSplitOptions;
  /** The revision that gets every request; undefined if it depends on the request. */
  readonly #sole: Choice | undefined;
  readonly #random: () => number;
  readonly #userAgents: readonly string[];

  constructor(options: TrafficSplitOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.revisions = [...options.splits.map(({ revision }) => revision), ...options.tags.values()];
    this.serves = this.revisions.length > 0 || options.byHeader !== undefined;
    const [first, ...others] = options.splits;
    if (first !== undefined && others.length === 0 && options.byHeader === undefined && !options.wakeFilter)
      this.#sole = { revision: first.revision, cookie: undefined, whileAsleep: undefined };
    this.#userAgents = options.wakeFilter?.userAgents.map((part) => part.toLowerCase()) ?? [];
  }

  choose(request: Fields, path: string, tag: string | undefined): Choice {
    if (tag === undefined && this.#sole !== undefined) return this.#sole;
    const before = this.#before(request);
    const revision = this.#asked(request, tag) ?? before ?? this.#draw();
    const cookie = revision === before ? undefined : this.#cookie(revision);
    return { revision, cookie, whileAsleep: this.#whileAsleep(request, path) };
  }

  // Private

  /** The revision that the request names; undefined if it names none. */
  #asked(request: Fields, tag: string | undefined): Revision | undefined {
    const { service, tags, byHeader } = this.#options;
    const name = byHeader && request.header('x-cless-revision');
    if (name === undefined && tag === undefined) return undefined;
    const revision = name === undefined ? tags.get(tag ?? '') : byHeader?.(name);
    if (revision === undefined) throw revisionNotFound(service, name ?? tag ?? '');
    return revision;
  }

  #cookie(revision: Revision): string | undefined {
    const { splits, sticky } = this.#options;
    const shared = sticky && splits.length > 1 && splits.some((split) => split.revision === revision);
    return shared ? `${COOKIE}=${revision.id}; Path=/; HttpOnly; SameSite=Lax` : undefined;
  }

  #whileAsleep(request: Fields, path: string): FixedAnswer | 'problem' | undefined {
    const { wakeFilter } = this.#options;
    if (wakeFilter === undefined) return undefined;
    const end = path.indexOf('?');
    const plain = end === -1 ? path : path.slice(0, end);
    const userAgent = request.header('user-agent')?.toLowerCase() ?? '';
    const filtered =
      wakeFilter.paths.some((one) =>
        one.endsWith('*') ? plain.startsWith(one.slice(0, -1)) : plain === one,
      ) || this.#userAgents.some((part) => userAgent.includes(part));
    return filtered ? (wakeFilter.answer ?? 'problem') : undefined;
  }

  /** The revision named by the client's cookie, if it still gets traffic. */
  #before(request: Fields): Revision | undefined {
    const { sticky, splits } = this.#options;
    const cookies = sticky ? request.header('cookie') : undefined;
    if (cookies === undefined) return undefined;
    for (const cookie of cookies.split(';')) {
      const [name, value] = cookie.split('=', 2);
      if (name?.trim() !== COOKIE) continue;
      return splits.find(({ revision }) => revision.id === value?.trim())?.revision;
    }
    return undefined;
  }

  #draw(): Revision {
    const { service, splits } = this.#options;
    let point = this.#random() * 100;
    for (const { revision, percent } of splits) {
      point -= percent;
      if (point < 0) return revision;
    }
    throw new Failure('SERVICE_NOT_FOUND', `no revision of ${service} gets traffic yet`, { service });
  }
}

function revisionNotFound(service: string, name: string): Failure {
  const message = `${service} has no revision ${JSON.stringify(name.slice(0, 100))} that can be asked for`;
  return new Failure('REVISION_NOT_FOUND', message, { service });
}
