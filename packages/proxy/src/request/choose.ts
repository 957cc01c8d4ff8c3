import type { Lease, LeaseGiver } from '@cless/activator';
import { Failure } from '@cless/model';
import type { Incoming } from '../exchange/incoming.ts';
import type { Choice, ServedService, ServiceSource } from '../services/source.ts';
import type { RequestRecord } from './record.ts';
import type { Route } from './route.ts';

/** Chooses the revision for the request. @throws {Failure} */
export function choose(
  served: ServedService,
  incoming: Incoming,
  route: Route,
  record: RequestRecord,
): Choice {
  const choice = served.choose(incoming, route.head.path, route.tag);
  record.chose(route.service, choice);
  return choice;
}

/** Finds the service of the request, also if others have to be asked for it. @throws {Failure} */
export async function find({ service, head }: Route, source: ServiceSource): Promise<ServedService> {
  const served = source.known(service) ?? (await source.resolve(service));
  if (served === undefined) throw new Failure('SERVICE_NOT_FOUND', `no service answers to ${head.host}`);
  return served;
}

/** Leases an instance if one is ready; undefined otherwise. */
export function tryLease({ revision, whileAsleep }: Choice, activator: LeaseGiver): Lease | undefined {
  return activator.tryLease(revision, whileAsleep === undefined);
}

/** Leases an instance as soon as one is ready. @throws {Failure} or the signal's reason */
export async function lease(
  choice: Choice,
  activator: LeaseGiver,
  record: RequestRecord,
  left: AbortSignal,
): Promise<Lease> {
  const given =
    tryLease(choice, activator) ??
    (await activator.lease(choice.revision, left, choice.whileAsleep === undefined));
  record.waited ??= given.activation;
  return given;
}
