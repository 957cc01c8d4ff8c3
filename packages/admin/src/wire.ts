import {
  fromSpec,
  type Service as KnownService,
  type RevisionSpec,
  type ServiceDefinition,
  type StoredRevision,
} from '@cless/model';
import type { Change, Revision, Service, ServiceInput } from './schemas.ts';

/*
 * Converts between the form of the API, for people, and the stored form, for programs.
 */

export function toService(
  name: string,
  { hosts, revisionHeader, sticky, wakeFilter }: ServiceInput,
): ServiceDefinition {
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

/** @param deploying is it being deployed now? A `pending` revision may be left over from a proxy that ended. */
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
  readonly spec: RevisionSpec;
  readonly secrets: Readonly<Record<string, string>>;
}

/** The differences, field by field; of secrets, only their names. */
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
