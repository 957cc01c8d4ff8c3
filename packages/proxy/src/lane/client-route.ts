import type { Lease } from '@cless/activator';
import type { Peer } from '../exchange/incoming.ts';
import { originHeaders } from '../headers/forwarded.ts';
import { checkHops } from '../headers/hops.ts';
import { linesOf } from '../headers/lines.ts';
import type { ServiceMeter } from '../observe/meters.ts';
import { tryLease } from '../request/choose.ts';
import type { Choice } from '../services/source.ts';
import type { RequestHead } from './bytes/request-head.ts';
import type { LaneContext } from './parts.ts';

/** What the requests for a host have in common on one connection. */
interface HostRoute {
  /** As written in the request. */
  readonly host: string;
  /** After how many changes of the router it was looked up. */
  readonly changes: number | undefined;
  readonly service: string;
  readonly tag: string | undefined;
  /** Undefined until the service is known to exist. */
  meter: ServiceMeter | undefined;
  /** Our own lines for a request that came through no other proxy; undefined until there is one. */
  origin: string | undefined;
}

/** A request that may be sent to an instance. */
export interface Leased {
  readonly service: string;
  readonly tag: string | undefined;
  readonly choice: Choice;
  readonly meter: ServiceMeter;
  readonly lease: Lease;
  /** The lines of the head that say where the request came from. */
  readonly origin: string;
  /** Is what the client says of its origin believed? */
  readonly trusted: boolean;
}

/** From the requests of one connection to leases. Most are for the host of the one before: what that gave is kept. */
export class ClientRoute {
  readonly #context: LaneContext;
  readonly #peer: Peer;
  readonly #isTrusted: boolean;
  #last: HostRoute | undefined;
  /** What the last request was chosen for; undefined if it was not. */
  choice: Choice | undefined;

  constructor(peer: Peer, context: LaneContext) {
    this.#context = context;
    this.#peer = peer;
    this.#isTrusted = context.trustedProxies.trusts(peer);
  }

  /** A lease for the request; undefined if there is none at once, or something is to be said against the request. */
  lease(head: RequestHead): Leased | undefined {
    const { source, activator, meters } = this.#context;
    this.choice = undefined;
    try {
      const route = this.#routeOf(head.host);
      if (route === undefined) return undefined;
      const served = source.known(route.service);
      if (served === undefined) return undefined;
      const origin = this.#originOf(head, route);
      const choice = served.choose(head, head.target, route.tag);
      this.choice = choice;
      const lease = tryLease(choice, activator);
      if (lease === undefined) return undefined;
      const { service, tag } = route;
      route.meter ??= meters.of(service);
      return { service, tag, choice, meter: route.meter, lease, origin, trusted: this.#isTrusted };
    } catch {
      return undefined; // the full way finds the same, and says so
    }
  }

  // Private

  #routeOf(host: string): HostRoute | undefined {
    const { router } = this.#context;
    const last = this.#last;
    if (last !== undefined && last.host === host && last.changes === router.changes) return last;
    const kept = copyOf(host);
    const found = router.route(kept);
    if (found === undefined) return undefined;
    const { changes } = router;
    this.#last = {
      host: kept,
      changes,
      service: found.service,
      tag: found.tag,
      meter: undefined,
      origin: undefined,
    };
    return this.#last;
  }

  #originOf(head: RequestHead, route: HostRoute): string {
    if (head.via === undefined && !this.#isTrusted) {
      route.origin ??= copyOf(this.#linesFor(head));
      return route.origin;
    }
    checkHops(head.method, head.via);
    return this.#linesFor(head);
  }

  #linesFor(head: RequestHead): string {
    const origin = {
      header: (name: string) => head.header(name),
      httpVersion: '1.1',
      scheme: 'http' as const,
      peer: this.#peer,
    };
    return linesOf(originHeaders(origin, head, this.#isTrusted));
  }
}

/** The same text by itself: V8 would keep the whole head, of which it is a part, as long as an idle connection lasts. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
