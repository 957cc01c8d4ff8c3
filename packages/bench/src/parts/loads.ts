import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Bed } from '../bed/bed.ts';
import { OURS, OURS_FULL_WAY, OURS_HTTP_PROXY_3 } from '../bed/cless.ts';
import { LOAD_CORE } from '../bed/cores.ts';
import { CADDY, GO_TUNED, HAPROXY, HTTP_PROXY_3, NGINX } from '../bed/peers.ts';
import { compare } from '../load/compare.ts';
import { Rounds } from '../load/rounds.ts';
import { loadRows } from '../report/load-rows.ts';
import type { Row } from '../report/row.ts';

const run = promisify(execFile);
const CONNECTIONS = 50;
const SECONDS = 2;
const MESSAGES = join(import.meta.dirname, '..', '..', 'peers', 'messages.js');

/** Other loads than small answers: large ones, bodies, a connection for each request, WebSocket messages. */
export async function benchLoads(): Promise<Row[]> {
  const bed = await Bed.start([
    OURS,
    OURS_FULL_WAY,
    OURS_HTTP_PROXY_3,
    HTTP_PROXY_3,
    NGINX,
    CADDY,
    HAPROXY,
    GO_TUNED,
  ]);
  try {
    const post = join(bed.directory, 'post.lua');
    writeFileSync(post, 'wrk.method = "POST"\nwrk.body = string.rep("x", 102400)\n');
    const everybody = [...bed.running, bed.direct];
    const rows: Row[] = [];
    for (const [title, load] of [
      ['Answers of 1 MiB', { path: '/big' }],
      ['POST of 100 KiB', { script: post }],
      ['A new connection per request', { headers: ['Connection: close'] }],
    ] as const) {
      const results = await compare(everybody, { connections: CONNECTIONS, seconds: SECONDS, ...load });
      rows.push(...loadRows(title, results, OURS.name));
    }
    const rounds = await Rounds.of(everybody, ({ port }) => messages(port));
    return [...rows, ...everybody.map(({ name }) => messagesRow(name, rounds))];
  } finally {
    await bed.stop();
  }
}

function messagesRow(name: string, rounds: Rounds<number>): Row {
  const title = `WebSocket messages, ${CONNECTIONS} connections`;
  const of = (one: string) => rounds.median(one, (perSecond) => perSecond);
  const ratio = of(OURS.name) / of(name);
  return {
    what: `${title}: ${name}`,
    value: `${of(name).toFixed(0)} messages/s${name === OURS.name ? '' : `, cLess ${ratio.toFixed(2)} ×`}`,
    chart: { title, unit: 'messages/s', label: name, amount: of(name) },
  };
}

/** Echoed messages per second. */
async function messages(port: number): Promise<number> {
  const { stdout } = await run('taskset', [
    ...['-c', LOAD_CORE, process.execPath, MESSAGES],
    ...[port, CONNECTIONS, SECONDS].map(String),
  ]);
  return Number(stdout);
}
