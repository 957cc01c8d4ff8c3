import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessRuntime } from '@cless/runtime-process';
import { SqliteStore } from '@cless/store';
import { sampleRevision, sampleService } from '@cless/testkit';
import { Bed } from '../bed/bed.ts';
import { cless } from '../bed/cless.ts';
import { PROXY_CORE } from '../bed/cores.ts';
import type { Running } from '../bed/running.ts';
import { residentBytes } from '../cost/memory.ts';
import { load } from '../load/wrk.ts';
import type { Row } from '../report/row.ts';

const SERVICES = 1_000;
const REQUESTS = 1_000_000;
const PIECE_SECONDS = 5;
const PATIENCE_MS = 300_000;
const MIB = 1024 ** 2;
const FIGURE_MIB = 100;

/** Resident memory over a million requests. A thousand services are registered; ten of them are busy. */
export async function memory(): Promise<Row> {
  const bed = await Bed.start([]);
  try {
    const server = await startServer(bed, 18_852);
    const script = join(bed.directory, 'few.lua');
    writeFileSync(
      script,
      'request = function() wrk.headers["Host"] = "s" .. math.random(0, 9) .. ".test"; return wrk.format("GET") end\n',
    );
    const resident: number[] = [];
    let requests = 0;
    const beganMs = performance.now();
    while (requests < REQUESTS && performance.now() - beganMs < PATIENCE_MS) {
      requests += (await load(server, { connections: 50, seconds: PIECE_SECONDS, script })).requests;
      resident.push(residentBytes(server.pid ?? 0) / MIB);
    }
    const [first = 0] = resident;
    const last = resident.at(-1) ?? 0;
    const most = Math.max(...resident);
    return {
      what: `resident memory with ${SERVICES} services registered over ${(requests / 1e6).toFixed(1)} million requests`,
      value: `${first.toFixed(0)} MiB at first, ${last.toFixed(0)} MiB at last, at most ${most.toFixed(0)} MiB`,
      target: `≤ ${FIGURE_MIB} MiB, flat`,
      reached: most <= FIGURE_MIB && last <= first * 1.1,
    };
  } finally {
    await bed.stop();
  }
}

/** The built server, with a thousand services in its database. */
async function startServer(bed: Bed, port: number): Promise<Running> {
  const directory = join(bed.directory, 'server');
  const { command, env = {} } = await cless('a thousand services').command(port, 0, directory);
  const { CLESS_PROCESS_SERVICES: servicesFile = '', CLESS_STATE_DIR: stateDirectory = '' } = env;
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const image = await new ProcessRuntime({ servicesFile, stateDirectory }).image('bench');
  const store = new SqliteStore(join(stateDirectory, 'cless.db'));
  for (let i = 0; i < SERVICES; i++) {
    const name = `s${i}`;
    const hosts = i === 0 ? ['bench.test', 's0.test'] : [`${name}.test`];
    store.put(sampleService(name, { hosts }));
    const revision = store.addRevision(name, sampleRevision({ image: 'bench', imageId: image?.id ?? '' }));
    store.settle(name, revision.name, { phase: 'ready' });
    store.setTraffic(name, { splits: [{ revision: revision.name, percent: 100 }], tags: {} });
  }
  store.close();
  return bed.serve('the server', port, PROXY_CORE, command, env);
}
