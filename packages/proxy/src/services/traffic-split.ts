import type { IncomingMessage } from 'node:http';
import type { FixedAnswer, Revision, WakeFilter } from '@cless/model';
import { NoTrafficError, RevisionNotFoundError } from '../errors.ts';
import type { ServedService } from './source.ts';

export interface TrafficSplitOptions {
  readonly service: string;
  readonly splits: readonly { readonly revision: Revision; readonly percent: number }[];
  readonly tags: ReadonlyMap<string, Revision>;
  /** The revision of that name, for requests that choose one; nothing where they may not. */
  readonly byHeader: ((name: string) => Revision | undefined) | undefined;
  /** Do clients stay with the revision that they got first? */
  readonly sticky: boolean;
  readonly wakeFilter: WakeFilter | undefined;
  /** From 0 to 1. */
  readonly random?: () => number;
}

const COOKIE = 'cless-revision';

/** A service with several revisions: which one a request goes to, and which requests wake it. */
export class TrafficSplit implements ServedService {
  readonly serves: boolean;
  readonly revisions: readonly Revision[];
  readonly #options: TrafficSplitOptions;
  /** The one that gets everything, if nothing depends on the request. */
  readonly #sole: Revision | undefined;
  readonly #random: () => number;
  readonly #userAgents: readonly string[];

  constructor(options: TrafficSplitOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.revisions = [...options.splits.map(({ revision }) => revision), ...options.tags.values()];
    this.serves = this.revisions.length > 0 || options.byHeader !== undefined;
    const [first, ...others] = options.splits;
    if (others.length === 0 && options.byHeader === undefined) this.#sole = first?.revision;
    this.#userAgents = options.wakeFilter?.userAgents.map((part) => part.toLowerCase()) ?? [];
  }

  choose(request: IncomingMessage, tag: string | undefined): Revision {
    if (tag === undefined && this.#sole !== undefined) return this.#sole;
    const { service, tags, byHeader } = this.#options;
    const asked = byHeader && request.headers['x-cless-revision'];
    if (asked !== undefined) {
      const revision = typeof asked === 'string' ? byHeader?.(asked) : undefined;
      if (revision === undefined) throw new RevisionNotFoundError(service, String(asked));
      return revision;
    }
    if (tag !== undefined) {
      const revision = tags.get(tag);
      if (revision === undefined) throw new RevisionNotFoundError(service, tag);
      return revision;
    }
    return this.#before(request) ?? this.#draw();
  }

  cookie(request: IncomingMessage, revision: Revision): string | undefined {
    const { splits, sticky } = this.#options;
    const shared = sticky && splits.length > 1 && splits.some((split) => split.revision === revision);
    if (!shared || this.#before(request) === revision) return undefined;
    return `${COOKIE}=${revision.id}; Path=/; HttpOnly; SameSite=Lax`;
  }

  whileAsleep(request: IncomingMessage, path: string): FixedAnswer | 'problem' | undefined {
    const { wakeFilter } = this.#options;
    if (wakeFilter === undefined) return undefined;
    const end = path.indexOf('?');
    const plain = end === -1 ? path : path.slice(0, end);
    const userAgent = request.headers['user-agent']?.toLowerCase() ?? '';
    const filtered =
      wakeFilter.paths.some((one) =>
        one.endsWith('*') ? plain.startsWith(one.slice(0, -1)) : plain === one,
      ) || this.#userAgents.some((part) => userAgent.includes(part));
    return filtered ? (wakeFilter.answer ?? 'problem') : undefined;
  }

  // Private

  /** The revision that the client's cookie names, if that still gets traffic. */
  #before(request: IncomingMessage): Revision | undefined {
    const { sticky, splits } = this.#options;
    const cookies = sticky ? request.headers.cookie : undefined;
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
    throw new NoTrafficError(service);
  }
}
