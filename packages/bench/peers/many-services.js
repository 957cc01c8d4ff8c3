// cLess with so many registered services, all of them at one upstream: `node many-services.js PORT UPSTREAM_PORT SERVICES`.
import { createCless } from '@cless/proxy';
import { MemoryStore } from '@cless/store';
import { FixedRuntime } from '@cless/testkit/fixed-runtime';

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
const cless = createCless({
  runtime: new FixedRuntime(endpoints),
  store,
  convention: false,
  probe: async () => ({ attempts: 1, durationMs: 0 }),
  pauseAfterMs: 'never',
  stopAfterMs: 'never',
  maxPending: 10_000,
  maxStarts: 100,
});
await cless.listen({ host: '127.0.0.1', port });
