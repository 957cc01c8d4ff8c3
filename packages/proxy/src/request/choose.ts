import type { Lease, LeaseGiver } from '@cless/activator';
import { Failure } from '@cless/model';
import type { Incoming } from '../exchange/incoming.ts';
import type { Choice, ServedService, ServiceSource } from '../services/source.ts';
import type { RequestRecord } from './record.ts';
import type { Route } from './route.ts';

/** The revision that the request goes to. @throws {Failure} */
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

/** The service that the request is for, whoever has to be asked for it. @throws {Failure} */
export async function find({ service, head }: Route, source: ServiceSource): Promise<ServedService> {
  const served = source.known(service) ?? (await source.resolve(service));
  if (served === undefined) throw new Failure('SERVICE_NOT_FOUND', `no service answers to ${head.host}`);
  return served;
}

/** The right to send the request, if an instance is ready. */
export function tryLease({ revision, whileAsleep }: Choice, activator: LeaseGiver): Lease | undefined {
  return activator.tryLease(revision, whileAsleep === undefined);
}

/** The same, as soon as one is. @throws {Failure} or the signal's reason */
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
