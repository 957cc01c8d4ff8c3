import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanUp, dockerLines, sampleImage, stateDirectory } from '@cless/testkit';
import { buildTestImage, ensureEngine, imageExists } from '@cless/testkit/host';
import { PROXY } from '../bed/cless.ts';
import { engineCall, firstGoodAnswer, goodAnswer } from '../bed/engine-api.ts';
import type { Row } from '../report/row.ts';
import { median, quantile } from '../report/statistics.ts';

const ROUNDS = 25;
const FLOOR_PORT = 18_999;
/** How long a container sleeps before it is woken. */
const PAUSED_MS = 150;

interface Inspected {
  readonly Config: { readonly Image: string; readonly Env: string[]; readonly ExposedPorts: object };
  readonly HostConfig: object;
}

/** Cold start and resume through cLess against the engine's own time, alternating in one run. */
export async function benchStarts(): Promise<Row[]> {
  const engine = await ensureEngine();
  if (!engine.available) {
    console.log(`left out: there is no Docker Engine (${engine.reason})`);
    return [];
  }
  try {
    if (!imageExists('cless-testkit')) await buildTestImage();
    return await measure();
  } finally {
    await engine.stop();
  }
}

async function measure(): Promise<Row[]> {
  const owner = `bench-${process.pid}`;
  const suffix = `-${owner}`;
  const image = await sampleImage(`bench${suffix}`);
  const state = stateDirectory();
  const proxy = await PROXY.start({
    CLESS_OWNER: owner,
    CLESS_IMAGE_SUFFIX: suffix,
    CLESS_STATE_DIR: state.path,
    CLESS_PORT_RANGE: '18900-18998',
    CLESS_PAUSE_AFTER: '150ms',
    CLESS_STOP_AFTER: 'never',
    CLESS_LOG_LEVEL: 'warn',
  });
  const host = 'bench.cless.cloud';
  const containers = (...filters: string[]) =>
    dockerLines(
      'ps',
      '-aq',
      '--filter',
      `label=cless.owner=${owner}`,
      ...filters.flatMap((filter) => ['--filter', filter]),
    );
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const request = async () => {
    const beganMs = performance.now();
    await goodAnswer(proxy.port, host, agent);
    return performance.now() - beganMs;
  };
  const until = async (condition: () => Promise<boolean>) => {
    while (!(await condition())) await sleep(20);
  };

  try {
    await request();
    const [template] = await Promise.all(
      (await containers()).map((id) => engineCall<Inspected>('GET', `/containers/${id}/json`)),
    );
    if (template === undefined) throw new Error('no container');

    const samples = {
      coldFloor: [] as number[],
      cold: [] as number[],
      resumeFloor: [] as number[],
      resume: [] as number[],
    };
    for (let round = 0; round < ROUNDS; round++) {
      const [id = ''] = await containers();
      await until(async () => (await containers('status=paused')).length === 1);
      await sleep(PAUSED_MS);
      samples.resume.push(await request());
      await until(async () => (await containers('status=paused')).length === 1);
      await engineCall('DELETE', `/containers/${id}?force=true`);
      await sleep(100); // until the proxy has heard of it
      samples.cold.push(await request());
      const floor = await engineFloor(template);
      samples.coldFloor.push(floor.coldMs);
      samples.resumeFloor.push(floor.resumeMs);
    }

    await Promise.all((await containers()).map((id) => engineCall('DELETE', `/containers/${id}?force=true`)));
    await sleep(200);
    const beganMs = performance.now();
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => proxy.fetch(host)));
    const thousandMs = performance.now() - beganMs;
    const good = answers.filter(({ status }) => status === 200).length;

    return [
      difference(
        'cold start minus the engine’s create + start + first good answer',
        samples.cold,
        samples.coldFloor,
        10,
      ),
      difference('resume minus the engine’s unpause', samples.resume, samples.resumeFloor, 5),
      {
        what: '1,000 requests at once for one cold service',
        value: `${good} good answers, ${(await containers()).length} container, ${thousandMs.toFixed(0)} ms`,
        target: '1,000 and 1',
        reached: good === 1_000 && (await containers()).length === 1,
      },
    ];
  } finally {
    agent.destroy();
    await proxy.stop();
    await cleanUp(owner, [image]);
    state.remove();
  }
}

/** Measures the same container with the engine alone. */
async function engineFloor({ Config, HostConfig }: Inspected): Promise<{ coldMs: number; resumeMs: number }> {
  const exposed = Object.keys(Config.ExposedPorts)[0] ?? '8080/tcp';
  const config = {
    ...Config,
    HostConfig: {
      ...HostConfig,
      PortBindings: { [exposed]: [{ HostIp: '127.0.0.1', HostPort: String(FLOOR_PORT) }] },
    },
  };
  const beganMs = performance.now();
  const { Id: id } = await engineCall<{ Id: string }>('POST', '/containers/create', config);
  try {
    await engineCall('POST', `/containers/${id}/start`);
    await firstGoodAnswer(FLOOR_PORT);
    const coldMs = performance.now() - beganMs;
    await engineCall('POST', `/containers/${id}/pause`);
    await sleep(PAUSED_MS); // a container that has slept for a while is slower to wake
    const pausedMs = performance.now();
    await engineCall('POST', `/containers/${id}/unpause`);
    return { coldMs, resumeMs: performance.now() - pausedMs };
  } finally {
    await engineCall('DELETE', `/containers/${id}?force=true`);
  }
}

function difference(what: string, ours: number[], floor: number[], targetMs: number): Row {
  const [p50, floorP50] = [median(ours), median(floor)];
  return {
    what,
    value: `p50 ${(p50 - floorP50).toFixed(1)} ms (${p50.toFixed(1)} − ${floorP50.toFixed(1)}), p90 ${(quantile(ours, 0.9) - quantile(floor, 0.9)).toFixed(1)} ms`,
    target: `p50 ≤ ${targetMs} ms`,
    reached: p50 - floorP50 <= targetMs,
  };
}
