import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Bed } from './bed.ts';
import { OURS } from './peers.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';
import { LOAD_CORE, load } from './wrk.ts';

const run = promisify(execFile);
const ROUNDS = 3;
const MESSAGES = join(import.meta.dirname, '..', 'peers', 'messages.js');

/** Other loads than small answers: large ones, bodies, a connection for each request, WebSocket messages. */
export async function benchLoads(): Promise<Row[]> {
  const bed = await Bed.start();
  try {
    const post = join(bed.directory, 'post.lua');
    writeFileSync(post, 'wrk.method = "POST"\nwrk.body = string.rep("x", 102400)\n');
    const loads: Readonly<Record<string, { unit: string; measure: (port: number) => Promise<number> }>> = {
      'answers of 1 MiB': {
        unit: 'requests/s',
        measure: async (port) => (await load(port, { connections: 50, path: '/big' })).requestsPerSecond,
      },
      'POST of 100 KiB': {
        unit: 'requests/s',
        measure: async (port) => (await load(port, { connections: 50, script: post })).requestsPerSecond,
      },
      'a new connection per request': {
        unit: 'requests/s',
        measure: async (port) =>
          (await load(port, { connections: 50, headers: ['Connection: close'] })).requestsPerSecond,
      },
      'WebSocket messages, 50 connections': { unit: 'messages/s', measure: messages },
    };
    const rows: Row[] = [];
    for (const [what, { unit, measure }] of Object.entries(loads)) {
      const everybody = [...bed.running, bed.direct];
      const measured = new Map<string, number[]>(everybody.map(({ name }) => [name, []]));
      for (let round = 0; round < ROUNDS; round++) {
        for (const { name, port } of everybody) measured.get(name)?.push(await measure(port).catch(() => 0));
      }
      const ours = median(measured.get(OURS) ?? []);
      for (const [name, sample] of measured) {
        const rate = median(sample);
        rows.push({
          what: `${what}: ${name}`,
          value:
            rate === 0
              ? 'not possible'
              : `${rate.toFixed(0)} ${unit}${name === OURS ? '' : `, cLess ${(ours / rate).toFixed(2)} ×`}`,
          chart: { title: what, unit, label: name, amount: rate },
        });
      }
    }
    return rows;
  } finally {
    await bed.stop();
  }
}

/** Echoed messages per second. */
async function messages(port: number): Promise<number> {
  const { stdout } = await run('taskset', [
    '-c',
    LOAD_CORE,
    process.execPath,
    MESSAGES,
    String(port),
    '50',
    '3',
  ]);
  return Number(stdout);
}
