import type { RevisionSpec } from './revision/forms.ts';

/** What a hostname stands for, as its owner wants it. */
export interface ServiceDefinition {
  /** A DNS label (RFC 1123): lower-case letters, digits and inner hyphens, at most 63. */
  readonly name: string;
  /** Normalized hosts, or `*.parent`. Empty: the service answers to its name. A host belongs to one service only. */
  readonly hosts: readonly string[];
  /** May a request choose a revision by the header `X-Cless-Revision`? */
  readonly revisionHeader: boolean;
  /** Does a cookie keep clients at the revision they got first? */
  readonly sticky: boolean;
  /** Requests that neither wake the service nor keep it awake; undefined if all do. */
  readonly wakeFilter: WakeFilter | undefined;
}

/** Requests that neither wake a service nor keep it awake: uptime monitors, crawlers. */
export interface WakeFilter {
  /** Paths, or prefixes of paths followed by `*`. */
  readonly paths: readonly string[];
  /** Substrings of `User-Agent`, case-insensitive. */
  readonly userAgents: readonly string[];
  /** The answer to them while the service sleeps; undefined means a 503. */
  readonly answer: FixedAnswer | undefined;
}

export interface FixedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Which revisions serve. */
export interface Traffic {
  /** Whole percentages that add up to 100, or empty for no traffic. */
  readonly splits: readonly Split[];
  /** Tags, each of which gives a revision a hostname of its own; the values are revisions' names. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface Split {
  /** A revision's name. */
  readonly revision: string;
  /** From 1 to 100. */
  readonly percent: number;
}

/** A service as the store returns it. */
export interface Service extends ServiceDefinition {
  readonly traffic: Traffic;
  /**
   * Grows with each change of the definition or the traffic, and does not start over if the service is removed and
   * created again.
   */
  readonly version: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** One immutable version of a service, as the store has it. */
export interface StoredRevision {
  readonly service: string;
  /** `SERVICE-00001` and so on. Never reused, not even after a removal. */
  readonly name: string;
  readonly number: number;
  readonly spec: RevisionSpec;
  /** Names only; see {@link Store.secrets}. */
  readonly secretNames: readonly string[];
  readonly state: RevisionState;
  readonly createdAt: string;
}

/** Only a `ready` revision may get traffic; once ready, a revision stays so. */
export type RevisionState =
  | { readonly phase: 'pending' }
  | { readonly phase: 'ready'; readonly at: string }
  | {
      readonly phase: 'failed';
      readonly at: string;
      readonly reason: string;
      readonly lastLogLines: readonly string[];
    };

/** How the deploy of a revision ended. */
export type Outcome =
  | { readonly phase: 'ready' }
  | { readonly phase: 'failed'; readonly reason: string; readonly lastLogLines: readonly string[] };
