import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Router } from '@cless/router';
import { ProcessRuntime } from '@cless/runtime-process';
import { SqliteStore } from '@cless/store';
import { sampleRevision, sampleService } from '@cless/testkit';
import { Bed } from './bed.ts';
import { cless } from './peers.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';
import { load, PROXY_CORE } from './wrk.ts';

const ROUNDS = 3;
const MANY = 1_000;
const MIB = 1024 ** 2;
const SCRIPT = join(import.meta.dirname, '..', 'peers', 'many-services.js');

/** What grows with the number of services and of requests, and what does not. */
export async function benchScale(): Promise<Row[]> {
  return [lookUps(), ...(await services())];
}

/** Compares the router's lookups among 100,000 services and among 10. */
function lookUps(): Row {
  const build = (count: number) => {
    const names = Array.from({ length: count }, (_, i) => `service-${i}`);
    const router = new Router({
      services: names.map((service) => ({ service, hosts: [`${service}.example`] })),
      convention: false,
    });
    // Ten of them are asked for, as when ten services are busy.
    const hosts = Array.from({ length: 10 }, (_, i) => `service-${Math.floor((i * count) / 10)}.example`);
    return { router, hosts };
  };
  const [few, many] = [build(10), build(100_000)];
  const time = ({ router, hosts }: typeof few) => {
    const beganMs = performance.now();
    for (let i = 0; i < 1_000_000; i++) router.route(hosts[i % hosts.length] ?? '');
    return performance.now() - beganMs; // milliseconds for a million are nanoseconds each
  };
  const samples: { few: number[]; many: number[] } = { few: [], many: [] };
  for (let round = 0; round < 7; round++) {
    samples.few.push(time(few));
    samples.many.push(time(many));
  }
  const ratio = median(samples.many) / median(samples.few);
  return {
    what: 'look-up among 100,000 services against 10',
    value: `${ratio.toFixed(2)} × (${median(samples.many).toFixed(0)} ns against ${median(samples.few).toFixed(0)} ns)`,
    target: '≤ 1.2 ×',
    reached: ratio <= 1.2,
  };
}

async function services(): Promise<Row[]> {
  const bed = await Bed.start([]);
  try {
    const start = async (port: number, count: number) => {
      const child = bed.spawn(PROXY_CORE, [
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        '--max-semi-space-size=1',
        '--heap-growing-percent=20',
        SCRIPT,
        String(port),
        String(bed.direct.port),
        String(count),
      ]);
      await bed.answers(`${count} services`, port);
      return { port, pid: child.pid ?? 0 };
    };
    const [one, many] = [await start(18_850, 1), await start(18_851, MANY)];
    const random = join(bed.directory, 'random.lua');
    writeFileSync(
      random,
      `request = function() wrk.headers["Host"] = "s" .. math.random(0, ${MANY - 1}) .. ".test"; return wrk.format("GET") end\n`,
    );
    const each = join(bed.directory, 'each.lua');
    writeFileSync(
      each,
      `request = function() wrk.headers["Host"] = "s0.test"; return wrk.format("GET") end\n`,
    );
    await load(many.port, { connections: 50, script: random, seconds: 5 }); // opens a connection for every service
    const samples = { one: [] as number[], many: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      samples.one.push((await load(one.port, { connections: 50, script: each })).requestsPerSecond);
      samples.many.push((await load(many.port, { connections: 50, script: random })).requestsPerSecond);
    }
    const ratio = median(samples.many) / median(samples.one);

    // A thousand services are registered and ten are busy; the others have no instance.
    const few = join(bed.directory, 'few.lua');
    writeFileSync(
      few,
      'request = function() wrk.headers["Host"] = "s" .. math.random(0, 9) .. ".test"; return wrk.format("GET") end\n',
    );
    const fresh = await startServer(bed, 18_852);
    const resident: number[] = [];
    let requests = 0;
    const beganMs = performance.now();
    while (requests < 1_000_000 && performance.now() - beganMs < 300_000) {
      const seconds = 5;
      requests +=
        (await load(fresh.port, { connections: 50, script: few, seconds })).requestsPerSecond * seconds;
      resident.push(residentBytes(fresh.pid) / MIB);
    }
    const [first = 0] = resident;
    const last = resident.at(-1) ?? 0;
    return [
      {
        what: `requests over ${MANY} services against one`,
        value: `${ratio.toFixed(2)} × (${median(samples.many).toFixed(0)} against ${median(samples.one).toFixed(0)} requests/s)`,
      },
      {
        what: `resident memory with ${MANY} services registered over ${(requests / 1e6).toFixed(1)} million requests`,
        value: `${first.toFixed(0)} MiB at first, ${last.toFixed(0)} MiB at last, at most ${Math.max(...resident).toFixed(0)} MiB`,
        target: '≤ 150 MB, flat',
        reached: Math.max(...resident) * MIB <= 150e6 && last <= first * 1.1,
      },
    ];
  } finally {
    await bed.stop();
  }
}

/** The built server, with a thousand services in its database. */
async function startServer(bed: Bed, port: number): Promise<{ port: number; pid: number }> {
  const directory = join(bed.directory, 'server');
  const { command, env = {} } = await cless('a thousand services').command(port, 0, directory);
  const { CLESS_PROCESS_SERVICES: servicesFile = '', CLESS_STATE_DIR: stateDirectory = '' } = env;
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const image = await new ProcessRuntime({ servicesFile, stateDirectory }).image('bench');
  const store = new SqliteStore(join(stateDirectory, 'cless.db'));
  for (let i = 0; i < MANY; i++) {
    const name = `s${i}`;
    const hosts = i === 0 ? ['bench.test', 's0.test'] : [`${name}.test`];
    store.put(sampleService(name, { hosts }));
    const revision = store.addRevision(name, sampleRevision({ image: 'bench', imageId: image?.id ?? '' }));
    store.settle(name, revision.name, { phase: 'ready' });
    store.setTraffic(name, { splits: [{ revision: revision.name, percent: 100 }], tags: {} });
  }
  store.close();
  const { pid = 0 } = bed.spawn(PROXY_CORE, command, env);
  await bed.answers('the server', port);
  return { port, pid };
}

/** `taskset` execs the program, so the pid is that of the proxy. */
function residentBytes(pid: number): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  return Number(pages) * 4096;
}
