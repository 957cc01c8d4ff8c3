import type {
  Outcome,
  RevisionState,
  Service,
  ServiceDefinition,
  StoredRevision,
  Traffic,
} from '@cless/model';
import { Failure } from '@cless/model';
import type { Expectation } from './store.ts';

/*
 * The rules that hold for services in any store.
 */

export const DEFAULT_PAGE_SIZE = 100;
export const NO_TRAFFIC: Traffic = { splits: [], tags: {} };

/** @throws with code `VERSION_CONFLICT` and the version that is `current` */
export function checkExpectation(
  name: string,
  service: Service | undefined,
  { expected }: Expectation = {},
): void {
  if (expected === undefined) return;
  const met = expected === 'absent' ? service === undefined : service?.version === expected;
  if (met) return;
  const current = service?.version;
  const is = current === undefined ? 'there is none' : `it is at version ${current}`;
  throw new Failure(
    'VERSION_CONFLICT',
    expected === 'absent'
      ? `service ${name} exists already: ${is}`
      : `service ${name} was expected at version ${expected}, but ${is}; read it again`,
    { current },
  );
}

/**
 * Checks that the service can have this traffic.
 *
 * @throws with code `INVALID_TRAFFIC`, `REVISION_NOT_FOUND` or `REVISION_NOT_READY`
 */
export function checkTraffic(
  service: string,
  { splits, tags }: Traffic,
  find: (revision: string) => StoredRevision | undefined,
): void {
  const seen = new Set<string>();
  let sum = 0;
  for (const { revision, percent } of splits) {
    if (!Number.isInteger(percent) || percent < 1 || percent > 100) {
      throw new Failure(
        'INVALID_TRAFFIC',
        `${revision}: ${percent} is not allowed; allowed are whole percentages from 1 to 100`,
      );
    }
    if (seen.has(revision)) throw new Failure('INVALID_TRAFFIC', `${revision} is named more than once`);
    seen.add(revision);
    sum += percent;
  }
  if (splits.length > 0 && sum !== 100) {
    throw new Failure('INVALID_TRAFFIC', `the percentages sum up to ${sum}; allowed is 100`);
  }
  for (const name of [...seen, ...Object.values(tags)]) {
    const revision = find(name);
    if (revision === undefined) throw revisionNotFound(service, name);
    if (revision.state.phase !== 'ready') {
      const why = 'has never been ready, so it gets neither traffic nor a tag';
      throw new Failure('REVISION_NOT_READY', `revision ${name} ${why}`, { revision: name });
    }
  }
}

/**
 * Checks that a revision gets no traffic and has no tag, so that it can be removed. @throws with code
 * `REVISION_IN_USE`
 */
export function checkUnused({ splits, tags }: Traffic, revision: string): void {
  if (!splits.some((split) => split.revision === revision) && !Object.values(tags).includes(revision)) return;
  throw new Failure(
    'REVISION_IN_USE',
    `revision ${revision} gets traffic or has a tag; take those away first`,
  );
}

/** Checks that the host does not belong to another service. @throws with code `HOST_TAKEN` and its `owner` */
export function checkOwner(service: string, host: string, owner: string | undefined): void {
  if (owner === undefined || owner === service) return;
  throw new Failure('HOST_TAKEN', `host ${host} belongs to service ${owner}; remove it there first`, {
    host,
    owner,
  });
}

export function serviceNotFound(service: string): Failure {
  return new Failure('SERVICE_NOT_FOUND', `there is no service ${service}`, { service });
}

export function revisionNotFound(service: string, revision: string): Failure {
  return new Failure('REVISION_NOT_FOUND', `service ${service} has no revision ${revision}`, {
    service,
    revision,
  });
}

export function revisionName(service: string, number: number): string {
  return `${service}-${String(number).padStart(5, '0')}`;
}

/** The state after an outcome. A revision that has been ready once stays ready. */
export function settled(before: RevisionState, outcome: Outcome, at: string): RevisionState {
  return before.phase === 'ready' ? before : { ...outcome, at };
}

/** The fields of a definition and no others, in a fixed order, so that equal definitions are equal as JSON. */
export function canonical({
  name,
  hosts,
  revisionHeader,
  sticky,
  wakeFilter,
}: ServiceDefinition): ServiceDefinition {
  return { name, hosts: [...new Set(hosts)], revisionHeader, sticky, wakeFilter };
}
