/** A container of ours, as listed by the engine. */
export interface Container {
  readonly id: string;
  readonly service: string;
  readonly revision: string;
  /** `running`, `paused`, `created`, `exited`, … */
  readonly state: string;
}

/** What an installation consists of while no client is connected. */
export interface Snapshot {
  readonly containers: readonly Container[];
  /** Names of the owner's networks. */
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  /** How many requests instances have, according to the admin API. */
  readonly leases: number;
  /** Open files of all processes of the proxy. */
  readonly openFiles: number;
}

/** How many files pools of connections and open logs may account for. */
const FILES_THAT_COME_AND_GO = 20;

/**
 * Finds what differs from before the first fault.
 *
 * @param kept instances that no fault may have touched, by service
 */
export function findLeftovers(
  before: Snapshot,
  now: Snapshot,
  kept: ReadonlyMap<string, string> = new Map(),
): string[] {
  const found: string[] = [];
  const alive = new Map<string, Container[]>();
  for (const container of now.containers) {
    const { id, service, revision, state } = container;
    if (state !== 'running' && state !== 'paused') {
      found.push(`container ${id} of ${service} is ${state}`);
      continue;
    }
    const key = `${service} ${revision}`;
    alive.set(key, [...(alive.get(key) ?? []), container]);
  }
  for (const [revision, { length }] of alive) {
    if (length > 1) found.push(`${length} instances of ${revision}`);
  }
  for (const [service, id] of kept) {
    if (!now.containers.some((container) => container.service === service && container.id === id))
      found.push(`the instance of ${service} is another one`);
  }
  const more = (kind: 'networks' | 'volumes') => now[kind].filter((name) => !before[kind].includes(name));
  for (const name of more('networks')) found.push(`network ${name} was left`);
  if (new Set(now.networks).size < now.networks.length)
    found.push(`two networks of one name: ${now.networks}`);
  for (const name of more('volumes')) found.push(`volume ${name} was left`);
  if (now.leases > 0) found.push(`${now.leases} leases are held`);
  if (now.openFiles > before.openFiles + FILES_THAT_COME_AND_GO)
    found.push(`${now.openFiles} open files, ${before.openFiles} before`);
  return found;
}
