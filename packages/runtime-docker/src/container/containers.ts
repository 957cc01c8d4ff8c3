import { hasCode, type InspectedInstance, type RuntimeInstance } from '@cless/model';
import type { Engine } from '../engine/engine.ts';
import { type Exit, exitOf } from '../engine/exit.ts';
import { logLines } from '../engine/logs.ts';
import { instanceNotFound, isRefusal } from '../failures.ts';
import { LABELS } from '../labels.ts';
import { fromInspection, fromListing } from './instance.ts';
import { type Listener, listenersOf } from './listening.ts';
import type { PortRange } from './ports.ts';

/** How long the engine may report that a removal is in progress, in milliseconds. */
const REMOVAL_TIMEOUT_MS = 10_000;
const REMOVAL_POLL_MS = 50;
/** In lines. */
const LAST_WORDS = 20;

/** The existing containers of an owner. */
export class Containers {
  readonly #engine: Engine;
  readonly #owner: string;
  readonly #ports: PortRange;

  constructor(engine: Engine, owner: string, ports: PortRange) {
    this.#engine = engine;
    this.#owner = owner;
    this.#ports = ports;
  }

  /** The container as it is now; undefined if it does not exist. */
  async inspect(id: string): Promise<InspectedInstance | undefined> {
    try {
      const info = await this.#engine.call('inspect', (docker) => docker.getContainer(id).inspect());
      const instance = fromInspection(info);
      if (instance === undefined) throw this.#engine.nonsense('inspect');
      return instance;
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  }

  /** Resolves when it has ended. @throws the signal's reason */
  async ended(id: string, signal: AbortSignal): Promise<Exit> {
    const answer = await this.#engine.call('wait', (docker) => docker.getContainer(id).wait(), {
      timeoutMs: Number.POSITIVE_INFINITY,
      lane: 'slow',
      signal,
    });
    if (typeof answer?.StatusCode !== 'number') throw this.#engine.nonsense('wait');
    const found = await this.inspect(id);
    return exitOf(answer.StatusCode, found?.exit?.oomKilled ?? false);
  }

  /** The addresses the container listens on; undefined if it does not run or that cannot be found out from here. */
  async listening(id: string): Promise<Listener[] | undefined> {
    const info = await this.#engine.call('inspect', (docker) => docker.getContainer(id).inspect());
    return listenersOf(info?.Id ?? id, info?.State?.Pid ?? 0);
  }

  /** All containers that are not of a `run`, in any state. Ports of all of them are marked as taken. */
  async list(): Promise<RuntimeInstance[]> {
    const label = [`${LABELS.managed}=true`, `${LABELS.owner}=${this.#owner}`];
    const containers = await this.#engine.call('list', (docker) =>
      docker.listContainers({ all: true, filters: { label } }),
    );
    if (!Array.isArray(containers)) throw this.#engine.nonsense('list');
    return containers.flatMap((container) => {
      const instance = fromListing(container);
      if (instance.endpoint !== undefined) this.#ports.claim(instance.endpoint.port, instance.id);
      return LABELS.maker in container.Labels ? [] : [instance];
    });
  }

  /** Does nothing if it is already paused. @throws with code `INSTANCE_NOT_FOUND` if it does not run */
  async pause(id: string): Promise<void> {
    await this.#tolerate(id, 'already paused', () =>
      this.#engine.call('pause', (docker) => docker.getContainer(id).pause()),
    );
  }

  /** @throws with code `INSTANCE_NOT_FOUND` if it does not run */
  async resume(id: string): Promise<void> {
    await this.#tolerate(id, 'not paused', () =>
      this.#engine.call('unpause', (docker) => docker.getContainer(id).unpause()),
    );
  }

  /** Sends SIGTERM, after the grace period SIGKILL, and removes the container. Does nothing if it does not exist. */
  async stop(id: string, graceMs: number): Promise<void> {
    if (graceMs > 0) await this.#end(id, graceMs);
    await this.remove(id);
  }

  /**
   * Removes the container by force, with its anonymous volumes.
   *
   * @throws with code `ENGINE_REFUSED`, if the engine has not done it after 10 s, for example because of a stuck mount
   */
  async remove(id: string): Promise<void> {
    const deadline = performance.now() + REMOVAL_TIMEOUT_MS;
    for (;;) {
      try {
        await this.#engine.call('remove', (docker) =>
          docker.getContainer(id).remove({ force: true, v: true }),
        );
      } catch (error) {
        if (isRefusal(error, 409) && performance.now() < deadline) {
          await new Promise((resolve) => setTimeout(resolve, REMOVAL_POLL_MS)); // "removal is already in progress": poll until it is gone
          continue;
        }
        if (!isRefusal(error, 404)) throw error;
      }
      this.#ports.releaseOf(id);
      return;
    }
  }

  /** Its last lines, oldest first. @throws with code `INSTANCE_NOT_FOUND` */
  async logs(id: string, lines: number): Promise<string[]> {
    try {
      const frames = await this.#engine.call('logs', (docker) =>
        docker.getContainer(id).logs({ stdout: true, stderr: true, tail: lines, follow: false }),
      );
      return Buffer.isBuffer(frames) ? this.#linesOf(frames) : [];
    } catch (error) {
      throw isRefusal(error, 404) ? instanceNotFound(id) : error;
    }
  }

  /** The same, for telling why it does not run: whatever is wrong, there are none then. */
  lastWords(id: string): Promise<string[]> {
    return this.logs(id, LAST_WORDS).catch(() => []);
  }

  // Private

  #linesOf(frames: Buffer): string[] {
    try {
      return logLines(frames);
    } catch {
      throw this.#engine.nonsense('logs');
    }
  }

  /** Lets the container end by itself. Failures do not matter: it is removed by force next. */
  async #end(id: string, graceMs: number): Promise<void> {
    const instance = await this.inspect(id).catch(() => 'unknown' as const);
    if (instance === undefined) return;
    const state = instance === 'unknown' ? 'unknown' : instance.state;
    if (state === 'created' || state === 'exited') return;
    if (state === 'paused') await this.resume(id).catch(() => {}); // a frozen process gets no signal
    await this.#engine
      .call('stop', (docker) => docker.getContainer(id).stop({ t: Math.ceil(graceMs / 1000) }), {
        timeoutMs: graceMs + 10_000,
        lane: 'slow',
      })
      .catch(() => {});
  }

  /** Ignores the refusal of what is already done; turns that of a container that does not run into INSTANCE_NOT_FOUND. */
  async #tolerate(id: string, already: string, run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!hasCode(error, 'ENGINE_REFUSED')) throw error;
      if (error.message.includes(already)) return;
      if (
        error.status === 404 ||
        error.status === 409 ||
        /is not running|no such process/i.test(error.message)
      ) {
        throw instanceNotFound(id);
      }
      throw error;
    }
  }
}
