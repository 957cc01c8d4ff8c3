import type { RevisionSpec } from './revision-spec.ts';

/** What a hostname stands for, as its owner wants it. */
export interface ServiceDefinition {
  /** A DNS label (RFC 1123): lower-case letters, digits and inner hyphens, at most 63. */
  readonly name: string;
  /** Normalized hosts, or `*.parent`; none: the service answers to its name. Each belongs to one service only. */
  readonly hosts: readonly string[];
  /** May a request choose a revision by the header `X-Cless-Revision`? */
  readonly revisionHeader: boolean;
  /** Do clients stay with the revision that they got first, by a cookie? */
  readonly sticky: boolean;
  /** Requests that neither wake it nor keep it awake. */
  readonly wakeFilter: WakeFilter | undefined;
}

/** Requests that neither wake a service nor keep it awake: uptime monitors, crawlers. */
export interface WakeFilter {
  /** Paths, or beginnings of paths that end in `*`. */
  readonly paths: readonly string[];
  /** Parts of `User-Agent`, whatever their case. */
  readonly userAgents: readonly string[];
  /** What they get while it sleeps; nothing for a 503. */
  readonly answer: FixedAnswer | undefined;
}

export interface FixedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Which revisions serve. */
export interface Traffic {
  /** Whole percentages, 100 together; or none at all. */
  readonly splits: readonly Split[];
  /** Names under which a revision has a hostname of its own. */
  readonly tags: Readonly<Record<string, string>>;
}

export interface Split {
  /** A revision's name. */
  readonly revision: string;
  /** From 1 to 100. */
  readonly percent: number;
}

/** A service as the store has it. */
export interface Service extends ServiceDefinition {
  readonly traffic: Traffic;
  /** Grows with each change of the definition or the traffic, also over a removal. */
  readonly version: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** One immutable version of a service. */
export interface Revision {
  readonly service: string;
  /** `SERVICE-00001` and so on; never used twice, also after a removal. */
  readonly name: string;
  readonly number: number;
  readonly spec: RevisionSpec;
  /** Names only; see {@link Store.secrets}. */
  readonly secretNames: readonly string[];
  readonly state: RevisionState;
  readonly createdAt: string;
}

/** Only a revision that has been ready once may get traffic. */
export type RevisionState =
  | { readonly phase: 'pending' }
  | { readonly phase: 'ready'; readonly at: string }
  | {
      readonly phase: 'failed';
      readonly at: string;
      readonly reason: string;
      readonly lastLogLines: readonly string[];
    };

/** How the deploy of a revision came out. */
export type Outcome =
  | { readonly phase: 'ready' }
  | { readonly phase: 'failed'; readonly reason: string; readonly lastLogLines: readonly string[] };
