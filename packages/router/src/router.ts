import { Failure } from '@cless/model';
import { invalidHost, parseHost } from './host.ts';

/** A service and the hosts it answers to. */
export interface ServiceHosts {
  readonly service: string;
  /**
   * Exact names, IP literals, or `*.parent`, which matches exactly one more label. Empty: the service answers to its
   * name as the first label.
   */
  readonly hosts: readonly string[];
  /** Tags of the service: `TAG--` in front of any host of it names the tag. */
  readonly tags?: Iterable<string>;
}

/** What a host stands for. */
export interface Route {
  readonly service: string;
  /** The tag of the service that the host names. */
  readonly tag?: string;
}

export interface RouterOptions {
  readonly services?: Iterable<ServiceHosts>;
  /** Does the first label of an unregistered name stand for a service? Default true. */
  readonly convention?: boolean;
  /** The first label names a service only in `LABEL.DOMAIN`. Default: in any name. */
  readonly domain?: string;
}

interface Registered {
  readonly hosts: readonly string[];
  readonly tags: ReadonlySet<string>;
}

/**
 * Maps a hostname to a service. Registered services come first (exact hosts, then names, tags and wildcards), then
 * the convention, which never gives a registered service more hosts than it has.
 *
 * A lookup costs a few hash lookups, however many services there are. Hosts are compared by whole labels:
 * `evil-shop.example` and `shop.example.evil.example` are not `shop.example`.
 *
 * @example
 * const router = new Router({ services: [{ service: 'shop', hosts: ['shop.example'], tags: ['next'] }] });
 * router.route('shop.example');       // { service: 'shop' }
 * router.route('next--shop.example'); // { service: 'shop', tag: 'next' }
 * router.route('golang.cless.cloud'); // { service: 'golang' }
 */
export class Router {
  readonly #exact = new Map<string, string>();
  /** Keyed by what follows `*.`. */
  readonly #wildcard = new Map<string, string>();
  readonly #registered = new Map<string, Registered>();
  readonly #convention: boolean;
  /** `.domain`; undefined if the first label counts in any name. */
  readonly #domainSuffix: string | undefined;
  #changes = 0;

  constructor({ services = [], convention = true, domain }: RouterOptions = {}) {
    this.#convention = convention;
    if (domain !== undefined) this.#domainSuffix = `.${parseHost(domain).name}`;
    for (const { service, ...registered } of services) this.set(service, registered);
  }

  /** How often its services have changed. What was looked up holds until then. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * What the host stands for; undefined if no service has it and the convention does not apply.
   *
   * @param host the value of a `Host` header
   * @throws with code `INVALID_HOST`, if it is not a host
   */
  route(host: string): Route | undefined {
    const { name, kind } = parseHost(host);

    const exact = this.#exact.get(name);
    if (exact !== undefined) return { service: exact };
    if (kind !== 'name') return undefined;

    const dot = name.indexOf('.');
    const label = dot === -1 ? name : name.slice(0, dot);
    return (
      this.#byName(name, label) ??
      this.#byTag(name, label) ??
      this.#byWildcard(name, dot) ??
      this.#byConvention(name, label)
    );
  }

  /**
   * Sets the hosts and tags of the service, replacing those it had. Nothing changes if it throws.
   *
   * @throws with code `INVALID_HOST`, if one is not a host or a wildcard
   * @throws with code `HOST_TAKEN` and its `owner`, if one belongs to another service
   */
  set(service: string, { hosts, tags = [] }: Omit<ServiceHosts, 'service'>): void {
    const parsed = hosts.map(parsePattern);
    for (const { table, key } of parsed) {
      const owner = this.#table(table).get(key);
      if (owner !== undefined && owner !== service) {
        const host = table === 'exact' ? key : `*.${key}`;
        throw new Failure(
          'HOST_TAKEN',
          `host ${host} belongs to service ${owner}; remove it there before giving it to ${service}`,
          { host, owner },
        );
      }
    }
    this.delete(service);
    this.#changes += 1;
    for (const { table, key } of parsed) this.#table(table).set(key, service);
    this.#registered.set(service, { hosts: [...hosts], tags: new Set(tags) });
  }

  /** Removes the service and its hosts. Returns whether it was registered. */
  delete(service: string): boolean {
    this.#changes += 1;
    for (const host of this.#registered.get(service)?.hosts ?? []) {
      const { table, key } = parsePattern(host);
      this.#table(table).delete(key);
    }
    return this.#registered.delete(service);
  }

  // Private

  /** A registered service without hosts answers to its name. */
  #byName(name: string, label: string): Route | undefined {
    const named = this.#registered.get(label);
    if (named === undefined || named.hosts.length > 0 || !this.#inDomain(name, label)) return undefined;
    return { service: label };
  }

  /** `TAG--REST`: the tag of the service that `REST` stands for. A label in punycode (`xn--`) has no tag. */
  #byTag(name: string, label: string): Route | undefined {
    const dashes = label.indexOf('--');
    if (dashes <= 0 || label.startsWith('xn--')) return undefined;
    const untagged = name.slice(dashes + 2);
    const restLabel = label.slice(dashes + 2);
    const exact = this.#exact.get(untagged);
    const route: Route | undefined =
      exact === undefined
        ? (this.#byName(untagged, restLabel) ?? this.#byWildcard(untagged, restLabel.length))
        : { service: exact };
    const tag = label.slice(0, dashes);
    if (route === undefined || !this.#registered.get(route.service)?.tags.has(tag)) return undefined;
    return { ...route, tag };
  }

  #byWildcard(name: string, dot: number): Route | undefined {
    const wildcard = dot === -1 ? undefined : this.#wildcard.get(name.slice(dot + 1));
    return wildcard === undefined ? undefined : { service: wildcard };
  }

  #byConvention(name: string, label: string): Route | undefined {
    if (!this.#convention || !this.#inDomain(name, label)) return undefined;
    // A service registered with hosts answers to those only.
    if (this.#registered.has(label)) return undefined;
    return { service: label };
  }

  #inDomain(name: string, label: string): boolean {
    return this.#domainSuffix === undefined || name === label + this.#domainSuffix;
  }

  #table(table: 'exact' | 'wildcard'): Map<string, string> {
    return table === 'exact' ? this.#exact : this.#wildcard;
  }
}

function parsePattern(pattern: string): { table: 'exact' | 'wildcard'; key: string } {
  if (!pattern.startsWith('*.')) return { table: 'exact', key: parseHost(pattern).name };
  const { name, kind } = parseHost(pattern.slice(2));
  if (kind !== 'name') throw invalidHost(pattern, 'an address has no wildcard');
  return { table: 'wildcard', key: name };
}
