import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { install } from '../../../scripts/engine.ts';
import { find } from '../../../scripts/shell.ts';
import { goodAnswer } from './engine-api.ts';
import { type Peer, peers, upstreamConfiguration } from './peers.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';

const run = promisify(execFile);
const ROUNDS = 3;
const SECONDS = 3;
const CONNECTIONS = [1, 50, 500];
const UPSTREAM_PORT = 18_800;
/** Proxies have one core, load and upstream the other. */
const [PROXY_CORE, LOAD_CORE] = ['0', '1'];
const OURS = 'cLess (undici)';
/** At least so many times as much as the peer, at 50 connections. */
const FIGURES: Readonly<Record<string, number>> = {
  'http-proxy-3 alone': 2.5,
  Caddy: 2,
  'Go’s ReverseProxy': 3,
  nginx: 0.3,
};

interface Running {
  readonly name: string;
  readonly port: number;
  readonly process: ChildProcess;
}

/** Warm small answers: requests per second of one core, against peers, in rounds that alternate. */
export async function benchWarm(): Promise<Row[]> {
  await installMissing();
  const directory = mkdtempSync(join(tmpdir(), 'cless-bench-'));
  const upstreamFile = join(directory, 'upstream.conf');
  writeFileSync(upstreamFile, upstreamConfiguration(UPSTREAM_PORT, directory));
  const upstream = pinned(LOAD_CORE, [find('nginx') ?? 'nginx', '-c', upstreamFile]);
  const running: Running[] = [];
  try {
    for (const [i, peer] of peers.entries()) {
      if (find(peer.program) === undefined)
        console.log(`left out: ${peer.name} (${peer.program} is not installed)`);
      else running.push(await startPeer(peer, UPSTREAM_PORT + 1 + i, join(directory, String(i))));
    }
    const measured = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const connections of CONNECTIONS) {
        for (const { name, port } of [...running, { name: 'direct', port: UPSTREAM_PORT }]) {
          const key = `${name} ${connections}`;
          measured.set(key, [...(measured.get(key) ?? []), await load(port, connections)]);
        }
      }
    }
    const rate = (name: string, connections: number) => median(measured.get(`${name} ${connections}`) ?? []);
    return [...running, { name: 'direct' }].flatMap(({ name }) =>
      CONNECTIONS.map((connections): Row => {
        const what = `warm, ${connections} connections: ${name}`;
        const value = `${rate(name, connections).toFixed(0)} requests/s`;
        if (name === OURS) return { what, value };
        const ratio = rate(OURS, connections) / rate(name, connections);
        const figure = connections === 50 ? FIGURES[name] : undefined;
        return {
          what,
          value: `${value}, cLess ${ratio.toFixed(2)} ×`,
          ...(figure !== undefined && { target: `≥ ${figure} ×`, reached: ratio >= figure }),
        };
      }),
    );
  } finally {
    for (const { process: child } of running) child.kill('SIGTERM');
    await sleep(500);
    upstream.kill('SIGTERM');
    rmSync(directory, { recursive: true, force: true });
  }
}

async function installMissing(): Promise<void> {
  const wanted = [
    ...peers.flatMap(({ program, debianPackage }) => (debianPackage ? [[program, debianPackage]] : [])),
    ['wrk', 'wrk'],
  ];
  const missing = wanted.filter(([program = '']) => find(program) === undefined).map(([, name = '']) => name);
  if (missing.length > 0 && process.getuid?.() === 0 && find('apt-get') !== undefined)
    await install(missing).catch(() => {});
  for (const program of ['wrk', 'nginx']) {
    if (find(program) === undefined)
      throw new Error(`${program} is needed to measure warm requests, and could not be installed`);
  }
}

async function startPeer(peer: Peer, port: number, directory: string): Promise<Running> {
  const { command, env } = await peer.command(port, UPSTREAM_PORT, directory);
  const running = { name: peer.name, port, process: pinned(PROXY_CORE, command, env) };
  for (let attempt = 0; attempt < 200; attempt++) {
    const up = await goodAnswer(port, 'bench.test', false).then(
      () => true,
      () => false,
    );
    if (up) return running;
    await sleep(50);
  }
  throw new Error(`${peer.name} did not start`);
}

function pinned(core: string, command: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn('taskset', ['-c', core, ...command], { stdio: 'ignore', env: { ...process.env, ...env } });
}

/** Requests per second, by wrk. */
async function load(port: number, connections: number): Promise<number> {
  const { stdout } = await run('taskset', [
    ...['-c', LOAD_CORE, 'wrk', '-t', '1', '-c', String(connections), '-d', `${SECONDS}s`],
    ...['-H', 'Host: bench.test', `http://127.0.0.1:${port}/`],
  ]);
  return Number(/Requests\/sec:\s*([\d.]+)/.exec(stdout)?.[1]);
}
