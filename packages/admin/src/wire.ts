import {
  formatDuration,
  formatMemory,
  formatStatuses,
  parseDuration,
  parseMemory,
  parseStatuses,
} from '@cless/model';
import type { KnownService, StoredRevision, StoredService, StoredSpec } from './platform.ts';
import { defaultRollout } from './rollout.ts';
import type { Change, Revision, RevisionInput, Service, ServiceInput } from './schemas.ts';

/*
 * Between what is written over the API, for people, and what is stored, for programs.
 */

export function toService(
  name: string,
  { hosts, revisionHeader, sticky, wakeFilter }: ServiceInput,
): StoredService {
  return {
    name,
    hosts,
    revisionHeader,
    sticky,
    wakeFilter: wakeFilter && { ...wakeFilter, answer: wakeFilter.answer },
  };
}

export function fromService(service: KnownService): Service {
  const { name, hosts, revisionHeader, sticky, wakeFilter, traffic, version, createdAt, updatedAt } = service;
  return {
    name,
    hosts: [...hosts],
    revisionHeader,
    sticky,
    wakeFilter: wakeFilter && {
      paths: [...wakeFilter.paths],
      userAgents: [...wakeFilter.userAgents],
      answer: wakeFilter.answer,
    },
    traffic: { splits: [...traffic.splits], tags: { ...traffic.tags } },
    version,
    createdAt,
    updatedAt,
  };
}

export function toSpec(
  input: RevisionInput,
  image: {
    readonly id: string;
    readonly exposedPorts: readonly number[];
    readonly volumes?: readonly string[] | undefined;
  },
): StoredSpec {
  const [only] = image.exposedPorts;
  return {
    image: input.image,
    imageId: image.id,
    port: input.port ?? (image.exposedPorts.length === 1 ? only : undefined),
    entrypoint: input.entrypoint,
    command: input.command,
    user: input.user,
    env: input.env ?? {},
    volumes: input.volumes ?? [],
    networks: input.networks ?? [],
    memoryBytes: maybe(input.limits?.memory, parseMemory),
    cpus: input.limits?.cpus,
    pids: input.limits?.pids,
    hardening: input.hardening,
    relaxations: input.relaxations ?? [],
    readiness: input.readiness && {
      kind: input.readiness.kind,
      path: input.readiness.path,
      statuses: input.readiness.statuses?.flatMap((status) => {
        const parsed = parseStatuses(status);
        return parsed === undefined ? [] : [parsed];
      }),
    },
    readyTimeoutMs: maybe(input.readiness?.timeout, parseDuration),
    responseTimeoutMs: maybe(input.timeouts?.response, parseDuration),
    stopGraceMs: maybe(input.timeouts?.stop, parseDuration),
    pauseAfterMs: maybe(input.idle?.pauseAfter, durationOrNever),
    stopAfterMs: maybe(input.idle?.stopAfter, durationOrNever),
    rollout: input.rollout ?? defaultRollout(input, image.volumes),
  };
}

function fromSpec(spec: StoredSpec): Revision['spec'] {
  return clean({
    image: spec.image,
    port: spec.port,
    entrypoint: spec.entrypoint,
    command: spec.command,
    user: spec.user,
    env: spec.env,
    volumes: spec.volumes,
    networks: spec.networks,
    limits: { memory: maybe(spec.memoryBytes, formatMemory), cpus: spec.cpus, pids: spec.pids },
    hardening: spec.hardening,
    relaxations: spec.relaxations,
    readiness:
      spec.readiness === undefined && spec.readyTimeoutMs === undefined
        ? undefined
        : {
            kind: 'http',
            ...spec.readiness,
            statuses: spec.readiness?.statuses?.map(formatStatuses),
            timeout: maybe(spec.readyTimeoutMs, formatDuration),
          },
    idle: {
      pauseAfter: maybe(spec.pauseAfterMs, neverOrDuration),
      stopAfter: maybe(spec.stopAfterMs, neverOrDuration),
    },
    rollout: spec.rollout,
    timeouts: {
      response: maybe(spec.responseTimeoutMs, formatDuration),
      stop: maybe(spec.stopGraceMs, formatDuration),
    },
  }) as Revision['spec'];
}

/** @param deploying is somebody at it? A deploy that was cut off by the end of the proxy is none that goes on. */
export function fromRevision(revision: StoredRevision, deploying: boolean): Revision {
  const { service, name, spec, secretNames, state, createdAt } = revision;
  const interrupted = state.phase === 'pending' && !deploying;
  return {
    service,
    name,
    state: interrupted ? 'failed' : state.phase,
    ...(interrupted && { reason: 'the proxy ended while it was deployed' }),
    ...(state.phase === 'failed' && { reason: state.reason, lastLogLines: [...state.lastLogLines] }),
    imageId: spec.imageId,
    spec: fromSpec(spec),
    secretNames: [...secretNames],
    createdAt,
  };
}

interface Deployed {
  readonly spec: StoredSpec;
  readonly secrets: Readonly<Record<string, string>>;
}

/** What is different, field by field; of secrets, only which. */
export function changesBetween(before: Deployed | undefined, after: Deployed): Change[] {
  const from = flatten(before && { ...fromSpec(before.spec), imageId: before.spec.imageId });
  const to = flatten({ ...fromSpec(after.spec), imageId: after.spec.imageId });
  const changes: Change[] = [];
  for (const field of new Set([...Object.keys(from), ...Object.keys(to)])) {
    if (JSON.stringify(from[field]) !== JSON.stringify(to[field]))
      changes.push({ field, from: from[field], to: to[field] });
  }
  const secrets = before?.secrets ?? {};
  for (const name of new Set([...Object.keys(secrets), ...Object.keys(after.secrets)])) {
    if (secrets[name] === after.secrets[name]) continue;
    changes.push({
      field: `secrets.${name}`,
      ...(name in secrets && { from: '(secret)' }),
      ...(name in after.secrets && { to: '(another secret)' }),
    });
  }
  return changes;
}

function flatten(value: unknown, prefix = ''): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return prefix === '' || value === undefined ? {} : { [prefix]: value };
  }
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, inner]) => flatten(inner, prefix === '' ? key : `${prefix}.${key}`)),
  );
}

/** Without what says nothing. */
function clean(value: Record<string, unknown>): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined || (Array.isArray(inner) && inner.length === 0)) continue;
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) {
      cleaned[key] = inner;
      continue;
    }
    const nested = clean(inner as Record<string, unknown>);
    if (Object.keys(nested).length > 0) cleaned[key] = nested;
  }
  return cleaned;
}

function maybe<T, R>(value: T | undefined, convert: (value: T) => R): R | undefined {
  return value === undefined ? undefined : convert(value);
}

function durationOrNever(text: string): number | 'never' | undefined {
  return text === 'never' ? text : parseDuration(text);
}

function neverOrDuration(value: number | 'never'): string {
  return value === 'never' ? value : formatDuration(value);
}
