import {
  InvalidTrafficError,
  RevisionNotFoundError,
  RevisionNotReadyError,
  VersionConflictError,
} from './errors.ts';
import type { Outcome, Revision, RevisionState, Service, ServiceDefinition, Traffic } from './service.ts';
import type { Expectation } from './store.ts';

/*
 * What holds for services whatever they are kept in.
 */

export const DEFAULT_PAGE_SIZE = 100;
export const NO_TRAFFIC: Traffic = { splits: [], tags: {} };

/** @throws {VersionConflictError} */
export function checkExpectation(
  name: string,
  service: Service | undefined,
  { expected }: Expectation = {},
): void {
  if (expected === undefined) return;
  const met = expected === 'absent' ? service === undefined : service?.version === expected;
  if (!met) throw new VersionConflictError(name, expected, service?.version);
}

/**
 * Is this traffic that the service can have?
 *
 * @throws {InvalidTrafficError} @throws {RevisionNotFoundError} @throws {RevisionNotReadyError}
 */
export function checkTraffic(
  service: string,
  { splits, tags }: Traffic,
  find: (revision: string) => Revision | undefined,
): void {
  const seen = new Set<string>();
  let sum = 0;
  for (const { revision, percent } of splits) {
    if (!Number.isInteger(percent) || percent < 1 || percent > 100) {
      throw new InvalidTrafficError(
        `${revision}: ${percent} is not allowed; allowed are whole percentages from 1 to 100`,
      );
    }
    if (seen.has(revision)) throw new InvalidTrafficError(`${revision} is named more than once`);
    seen.add(revision);
    sum += percent;
  }
  if (splits.length > 0 && sum !== 100) {
    throw new InvalidTrafficError(`the percentages sum up to ${sum}; allowed is 100`);
  }
  for (const name of [...seen, ...Object.values(tags)]) {
    const revision = find(name);
    if (revision === undefined) throw new RevisionNotFoundError(service, name);
    if (revision.state.phase !== 'ready') throw new RevisionNotReadyError(name);
  }
}

export function usesRevision({ splits, tags }: Traffic, revision: string): boolean {
  return splits.some((split) => split.revision === revision) || Object.values(tags).includes(revision);
}

export function revisionName(service: string, number: number): string {
  return `${service}-${String(number).padStart(5, '0')}`;
}

/** The state after an outcome: what has been ready once stays so. */
export function settled(before: RevisionState, outcome: Outcome, at: string): RevisionState {
  return before.phase === 'ready' ? before : { ...outcome, at };
}

/** Only what a definition has, in one order, so that equal definitions are equal texts. */
export function canonical({
  name,
  hosts,
  revisionHeader,
  sticky,
  wakeFilter,
}: ServiceDefinition): ServiceDefinition {
  return { name, hosts: [...new Set(hosts)], revisionHeader, sticky, wakeFilter };
}
