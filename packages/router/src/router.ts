import { type Host, InvalidHostError, parseHost } from './host.ts';

/** How names without a registered service find one: first label `x` → service `x`, image `x-docker`. */
export interface Convention {
  /** What follows the first label in the image's name. Default `-docker`. */
  readonly imageSuffix?: string;
  /** Apply to `LABEL.DOMAIN` only. Default: to any name. */
  readonly domain?: string;
  /** The port on which such images listen unless they say otherwise. Default 8080. */
  readonly port?: number;
}

/** A service with the hosts that it answers to: exact names, IP literals, or `*.parent` for one label more. */
export interface ServiceHosts {
  readonly service: string;
  readonly hosts: readonly string[];
}

/** What a host stands for. */
export type Route =
  | { readonly via: 'exact' | 'wildcard'; readonly service: string }
  | { readonly via: 'convention'; readonly service: string; readonly image: string; readonly port: number };

/** The host belongs to another service already: code `HOST_TAKEN`. */
export class HostTakenError extends Error {
  override readonly name = 'HostTakenError';
  readonly code = 'HOST_TAKEN';
  readonly host: string;
  readonly owner: string;

  constructor(host: string, owner: string, service: string) {
    super(`host ${host} belongs to service ${owner}; remove it there before giving it to ${service}`);
    this.host = host;
    this.owner = owner;
  }
}

export interface RouterOptions {
  readonly services?: Iterable<ServiceHosts>;
  /** `false` switches it off: registered services only. Default: on. */
  readonly convention?: Convention | false;
}

/**
 * Hostname → service. Registered hosts come first (exact before wildcard), then the convention.
 *
 * A look-up costs one or two hash look-ups, however many services there are. Hosts are compared by whole
 * labels: `evil-shop.example` and `shop.example.evil.example` are not `shop.example`.
 *
 * @example
 * const router = new Router({ services: [{ service: 'shop', hosts: ['shop.example', '*.shop.example'] }] });
 * router.route('shop.example');       // { via: 'exact', service: 'shop' }
 * router.route('golang.cless.cloud'); // { via: 'convention', service: 'golang', image: 'golang-docker', port: 8080 }
 */
export class Router {
  readonly #exact = new Map<string, string>();
  /** Keyed by what follows `*.`. */
  readonly #wildcard = new Map<string, string>();
  readonly #hostsOf = new Map<string, readonly string[]>();
  readonly #convention: Required<Omit<Convention, 'domain'>> | undefined;
  /** `.domain`, or nothing where the convention holds for any name. */
  readonly #conventionSuffix: string | undefined;

  constructor({ services = [], convention = {} }: RouterOptions = {}) {
    if (convention !== false) {
      this.#convention = { imageSuffix: convention.imageSuffix ?? '-docker', port: convention.port ?? 8080 };
      if (convention.domain !== undefined) this.#conventionSuffix = `.${parseHost(convention.domain).name}`;
    }
    for (const { service, hosts } of services) this.set(service, hosts);
  }

  /**
   * What the host stands for; nothing if no service has it and the convention does not apply.
   *
   * @param host the value of a `Host` header, or one that was parsed already
   * @throws {InvalidHostError} if it is not a host
   */
  route(host: string | Host): Route | undefined {
    const { name, kind } = typeof host === 'string' ? parseHost(host) : host;

    const exact = this.#exact.get(name);
    if (exact !== undefined) return { via: 'exact', service: exact };
    if (kind !== 'name') return undefined;

    const dot = name.indexOf('.');
    if (dot !== -1) {
      const wildcard = this.#wildcard.get(name.slice(dot + 1));
      if (wildcard !== undefined) return { via: 'wildcard', service: wildcard };
    }
    return this.#byConvention(name, dot);
  }

  /**
   * Gives the service these hosts and takes all others from it. Nothing changes if it throws.
   *
   * @throws {InvalidHostError} if one is not a host or a wildcard
   * @throws {HostTakenError} if one belongs to another service
   */
  set(service: string, hosts: readonly string[]): void {
    const parsed = hosts.map(parsePattern);
    for (const { table, key } of parsed) {
      const owner = this.#table(table).get(key);
      if (owner !== undefined && owner !== service) {
        throw new HostTakenError(table === 'exact' ? key : `*.${key}`, owner, service);
      }
    }
    this.delete(service);
    for (const { table, key } of parsed) this.#table(table).set(key, service);
    this.#hostsOf.set(service, [...hosts]);
  }

  /** Forgets the service and its hosts; says whether there was one. */
  delete(service: string): boolean {
    for (const host of this.#hostsOf.get(service) ?? []) {
      const { table, key } = parsePattern(host);
      this.#table(table).delete(key);
    }
    return this.#hostsOf.delete(service);
  }

  // Private

  #byConvention(name: string, dot: number): Route | undefined {
    if (this.#convention === undefined) return undefined;
    const label = dot === -1 ? name : name.slice(0, dot);
    if (this.#conventionSuffix !== undefined && name !== label + this.#conventionSuffix) return undefined;
    const { imageSuffix, port } = this.#convention;
    return { via: 'convention', service: label, image: label + imageSuffix, port };
  }

  #table(table: 'exact' | 'wildcard'): Map<string, string> {
    return table === 'exact' ? this.#exact : this.#wildcard;
  }
}

function parsePattern(pattern: string): { table: 'exact' | 'wildcard'; key: string } {
  if (!pattern.startsWith('*.')) return { table: 'exact', key: parseHost(pattern).name };
  const { name, kind } = parseHost(pattern.slice(2));
  if (kind !== 'name') throw new InvalidHostError(pattern, 'an address has no wildcard');
  return { table: 'wildcard', key: name };
}
