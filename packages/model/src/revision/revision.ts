import type { Check } from '../check.ts';
import type { InstanceOptions, RevisionOptions, RevisionSpec } from './forms.ts';
import { saidOf } from './spec.ts';

/** What an instance is started from. */
export interface InstanceSpec extends InstanceOptions {
  readonly service: string;
  readonly revision: string;
  /** An image on the host, by id or reference. */
  readonly image: string;
  /** The port it listens on; passed to it as `PORT`. */
  readonly port: number;
}

/** A spec as far as it is known before anything is started from it. */
export type PartialSpec = { readonly [Option in keyof InstanceSpec]?: InstanceSpec[Option] | undefined };

/** One immutable version of a service, with the installation's defaults filled in. */
export interface Revision extends RevisionOptions {
  readonly service: string;
  readonly id: string;
  readonly spec: InstanceSpec;
  readonly readiness: { readonly check: Check; readonly timeoutMs: number };
  /** After how much idle time an instance is paused and stopped, in milliseconds; undefined means never. */
  readonly idle: { readonly pauseAfterMs: number | undefined; readonly stopAfterMs: number | undefined };
  /** From SIGTERM to SIGKILL, in milliseconds. */
  readonly stopGraceMs: number;
  /** Values that must appear in no log, event or error. */
  readonly secrets?: readonly string[];
}

/** The defaults for revisions. */
export type RevisionDefaults = Pick<Revision, 'readiness' | 'idle' | 'stopGraceMs'>;

/** The port a container listens on by default. */
const DEFAULT_PORT = 8080;

/** Combines a spec with the defaults to a revision. @param id its name, or for one by convention its image's id */
export function toRevision(
  service: string,
  id: string,
  spec: RevisionSpec,
  defaults: RevisionDefaults,
  secrets: Readonly<Record<string, string>> = {},
): Revision {
  return {
    service,
    id,
    stopGraceMs: defaults.stopGraceMs,
    ...saidOf(spec, 'revision'),
    spec: {
      service,
      revision: id,
      // By its id, so that a revision stays the same when a tag moves.
      image: spec.imageId,
      port: spec.port ?? DEFAULT_PORT,
      ...saidOf({ ...spec, env: { ...spec.env, ...secrets } }, 'instance'),
    },
    readiness: {
      check: spec.readiness === undefined ? defaults.readiness.check : toCheck(spec.readiness),
      timeoutMs: spec.readyTimeoutMs ?? defaults.readiness.timeoutMs,
    },
    idle: toIdle(spec, defaults),
    secrets: Object.values(secrets),
  };
}

/** Combines a revision's idle times with the defaults. */
export function toIdle(
  { pauseAfterMs, stopAfterMs }: RevisionSpec,
  { idle }: Pick<RevisionDefaults, 'idle'>,
): Revision['idle'] {
  return {
    pauseAfterMs: pauseAfterMs === 'never' ? undefined : (pauseAfterMs ?? idle.pauseAfterMs),
    stopAfterMs: stopAfterMs === 'never' ? undefined : (stopAfterMs ?? idle.stopAfterMs),
  };
}

function toCheck({ kind, path, statuses }: NonNullable<RevisionSpec['readiness']>): Check {
  if (kind === 'tcp') return { kind };
  return { kind, ...(path !== undefined && { path }), ...(statuses !== undefined && { statuses }) };
}
