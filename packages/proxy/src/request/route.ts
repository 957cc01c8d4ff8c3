import { Failure, shuttingDown } from '@cless/model';
import type { Incoming } from '../exchange/incoming.ts';
import { checkHops } from '../headers/hops.ts';
import type { Router } from '../services/router.ts';
import { type HeadLimits, type RequestHead, readHead } from './head.ts';
import type { RequestRecord } from './record.ts';

export interface RouteContext {
  readonly limits: HeadLimits;
  readonly router: Router;
  /** Is the edge draining? */
  readonly draining: boolean;
}

/** A request's head and the service it is for. */
export interface Route {
  readonly head: RequestHead;
  readonly service: string;
  /** The tag of the host; undefined if it has none. */
  readonly tag: string | undefined;
}

/** Reads the head and finds the service. @throws {Failure} */
export function route(
  incoming: Incoming,
  record: RequestRecord,
  { limits, router, draining }: RouteContext,
): Route {
  if (draining) throw shuttingDown();
  const head = readHead(incoming, limits);
  record.read(head);
  checkHops(incoming.method, head.via);
  if (head.hostField !== undefined) router.route(head.hostField); // an absolute target does not excuse an invalid Host
  const found = router.route(head.host);
  if (found === undefined) throw new Failure('SERVICE_NOT_FOUND', `no service answers to ${head.host}`);
  const { service, tag } = found;
  record.service = service;
  return { head, service, tag };
}
