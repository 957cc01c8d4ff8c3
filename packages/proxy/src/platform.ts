import type { Activator } from '@cless/activator';
import type { Platform } from '@cless/admin';
import { type Clock, conceal, type Refusal, type Revision, type Runtime } from '@cless/model';
import type { Server } from './server.ts';
import type { RegisteredSource } from './services/registered.ts';

/** How long the instances of a service may take to stop before its volumes are removed, in milliseconds. */
const STOPPED_MS = 30_000;
const LOOK_EVERY_MS = 50;

export interface PlatformOptions {
  readonly server: Server;
  readonly runtime: Runtime;
  readonly source: Pick<RegisteredSource, 'stored'>;
  readonly clock: Clock;
  readonly version: string;
  /** Why changes would not last; undefined if they do. */
  readonly lost: () => string | undefined;
  /** The image of a service by convention; undefined if the convention is off. */
  readonly conventionImage: (service: string) => string | undefined;
  /** Rephrases a refusal in terms of the installation's settings. */
  readonly explainRefusal: (refusal: Refusal) => { readonly field: string; readonly reason: string };
}

/** The running proxy, as the admin API sees it. */
export function createPlatform({
  server,
  runtime,
  source,
  clock,
  version,
  lost,
  conventionImage,
  explainRefusal,
}: PlatformOptions): Platform {
  const { activator, events, metrics } = server;
  const { volumes } = runtime;
  return {
    version,
    pull: runtime.pull?.bind(runtime),
    volumes: volumes && {
      of: (service) => volumes.of(service),
      async remove(service) {
        await stopped(activator, service, clock);
        return volumes.remove(service);
      },
    },
    refusals: async (spec) => ((await runtime.refusals?.(spec)) ?? []).map(explainRefusal),
    runtime: runtime.name,
    get connected() {
      return activator.connected;
    },
    get lost() {
      return lost();
    },
    get waiting() {
      return activator.pending;
    },
    applied: () => server.applied(),
    async instances() {
      const uses = await server.use();
      return [...activator.instances()].flatMap((instance) => {
        const { id, revision, state, idle, maybeIdle, dismissed } = instance;
        if (id === undefined) return [];
        const elsewhere = uses.get(id) ?? { leases: 0, idleMs: Number.POSITIVE_INFINITY };
        const requests = instance.leases + elsewhere.leases;
        const isIdle = (idle || maybeIdle) && requests === 0;
        const idleMs = Math.min(clock.now() - instance.idleSinceMs, elsewhere.idleMs);
        return {
          id,
          service: revision.service,
          revision: revision.id,
          state: dismissed && state !== 'gone' ? 'stopping' : outwardState(state),
          requests,
          idleMs: isIdle ? Math.round(idleMs) : undefined,
        };
      });
    },
    lastStart(service) {
      const last = server.lastStarts.of(service);
      return last && { ...last, image: conventionImage(service) };
    },
    stop(id) {
      const instance = activator.instance(id);
      instance?.dismiss();
      return instance !== undefined;
    },
    async *logs(id, { lines, follow, signal }) {
      const secrets = activator.instance(id)?.revision.secrets ?? [];
      const all = follow ? runtime.followLogs(id, { lines, signal }) : await runtime.logs(id, { lines });
      for await (const line of all) yield conceal(line, secrets);
    },
    image: (reference) => runtime.image(reference),
    async prove(service, id) {
      const revision = source.stored(service, id);
      if (revision === undefined) throw new Error(`there is no revision ${id} of ${service}`);
      return server.prove(revision);
    },
    publish: (event) => events.publish(event),
    subscribe: (listener, after) => events.subscribe(listener, after),
    metrics: () => metrics.text(),
  };
}

/** Resolves when nothing of the service runs any more, or after a timeout. */
async function stopped(activator: Activator<Revision>, service: string, clock: Clock): Promise<void> {
  const untilMs = clock.now() + STOPPED_MS;
  for (;;) {
    const running = [...activator.instances()].filter(({ revision }) => revision.service === service);
    if (running.length === 0 || clock.now() > untilMs) return;
    for (const instance of running) instance.dismiss();
    await new Promise<void>((resolve) => clock.after(LOOK_EVERY_MS, resolve));
  }
}

/** Outside, `pausing` appears as `ready` and `resuming` as `paused`. */
function outwardState(state: string): string {
  switch (state) {
    case 'pausing':
      return 'ready';
    case 'resuming':
      return 'paused';
    default:
      return state;
  }
}
