import { uptime } from 'node:os';
import type { ContainerInfo } from 'dockerode';
import type { Containers } from '../container/containers.ts';
import type { Engine } from '../engine/engine.ts';
import { LABELS } from '../labels.ts';
import { type Finding, findMaker } from './maker.ts';

/**
 * Removes the containers of an owner whose process has died, for example a killed test run. A label names the
 * process; while that is alive, its containers are left alone.
 */
export class Reaper {
  readonly #engine: Engine;
  readonly #owner: string;
  readonly #containers: Containers;

  constructor(engine: Engine, owner: string, containers: Containers) {
    this.#engine = engine;
    this.#owner = owner;
    this.#containers = containers;
  }

  /** Removes the orphans. Those that cannot be removed now are left to the next run. */
  async reap(): Promise<void> {
    const label = [`${LABELS.managed}=true`, `${LABELS.owner}=${this.#owner}`, LABELS.maker];
    const listed = await this.#engine.call('list', (docker) =>
      docker.listContainers({ all: true, filters: { label } }),
    );
    if (!Array.isArray(listed)) throw this.#engine.nonsense('list');
    const bootedAt = Date.now() / 1000 - uptime();
    const orphans = listed.filter((one) =>
      isOrphan(one, findMaker(one.Labels[LABELS.maker] ?? ''), bootedAt),
    );
    await Promise.allSettled(orphans.map(({ Id }) => this.#containers.remove(Id)));
  }
}

/**
 * For a maker that cannot be seen from here, only containers from before this boot are orphans: their process cannot
 * be running.
 *
 * @param bootedAt in seconds since 1970
 */
export function isOrphan(
  { Created, State }: Pick<ContainerInfo, 'Created' | 'State'>,
  maker: Finding,
  bootedAt: number,
): boolean {
  if (maker !== 'unknown') return maker === 'dead';
  return (State === 'created' || State === 'exited' || State === 'dead') && Created < bootedAt;
}
