import type { Platform, StoredSpec } from '@cless/admin';
import type { Runtime } from './contracts.ts';
import type { RegisteredSource } from './registered-source.ts';
import { conceal } from './secrets.ts';
import type { Server } from './server.ts';

export interface PlatformOptions {
  readonly server: Server;
  readonly runtime: Runtime;
  readonly source: RegisteredSource;
  readonly version: string;
  /** Why changes would not last; nothing if they do. */
  readonly lost: () => string | undefined;
  /** Nothing where the runtime knows no pulling. */
  readonly pull: Platform['pull'];
  readonly refusals: (spec: StoredSpec) => { readonly field: string; readonly reason: string }[];
}

/** The running proxy, as the admin API sees it. */
export function createPlatform({
  server,
  runtime,
  source,
  version,
  lost,
  pull,
  refusals,
}: PlatformOptions): Platform {
  const { activator, events, metrics } = server;
  return {
    version,
    pull,
    refusals,
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
        const idleMs = Math.min(performance.now() - instance.idleSinceMs, elsewhere.idleMs);
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

/** To the outside, what is being paused is ready, and what is being resumed is paused. */
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
