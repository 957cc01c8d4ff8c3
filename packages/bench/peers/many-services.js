// cLess with so many registered services, all of them at one upstream: `node many-services.js PORT UPSTREAM_PORT SERVICES`.
import { RegisteredSource, Server, UndiciForwarder } from '@cless/proxy';
import { Router } from '@cless/router';
import { MemoryStore } from '@cless/store';
import { FixedRuntime } from '@cless/testkit';
import { pino } from 'pino';

const [port, upstream, count] = process.argv.slice(2).map(Number);
const store = new MemoryStore();
const endpoints = {};
for (let i = 0; i < count; i++) {
  const name = `s${i}`;
  endpoints[name] = { host: '127.0.0.1', port: upstream };
  store.put({
    name,
    hosts: [`${name}.test`, ...(i === 0 ? ['bench.test'] : [])],
    revisionHeader: false,
    sticky: false,
    wakeFilter: undefined,
  });
  const spec = { image: name, imageId: name, env: {}, volumes: [], networks: [], relaxations: [] };
  const revision = store.addRevision(name, spec);
  store.settle(name, revision.name, { phase: 'ready' });
  store.setTraffic(name, { splits: [{ revision: revision.name, percent: 100 }], tags: {} });
}
const router = new Router({ convention: false });
const defaults = {
  readiness: { check: { kind: 'http' }, timeoutMs: 1_000 },
  idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
  stopGraceMs: 0,
};
await Server.start({
  router,
  source: new RegisteredSource({ store, router, defaults, fallback: undefined }),
  runtime: new FixedRuntime(endpoints),
  probe: async () => ({ attempts: 1, durationMs: 0 }),
  forwarder: new UndiciForwarder({ responseTimeoutMs: 60_000 }),
  log: pino({ level: 'silent' }),
  listen: { host: '127.0.0.1', port },
  limits: {
    maxTargetBytes: 8192,
    maxHeaderBytes: 16_384,
    maxHeaderCount: 200,
    maxBodyBytes: Number.POSITIVE_INFINITY,
    headersTimeoutMs: 60_000,
    keepAliveTimeoutMs: 75_000,
    bodyTimeoutMs: 60_000,
    idleTimeoutMs: 300_000,
  },
  maxPending: 10_000,
  maxStarts: 100,
  maxInstances: undefined,
  drainTimeoutMs: 100,
});
