import { join } from 'node:path';
import { Bed } from './bed.ts';
import { cless, OURS, type Peer, peers } from './peers.ts';
import type { Row } from './report.ts';
import { median } from './statistics.ts';
import { load } from './wrk.ts';

const ROUNDS = 5;
const PEERS = join(import.meta.dirname, '..', 'peers');

function script(name: string, file: string): Peer {
  return {
    name,
    program: 'node',
    command: async (port, upstream) => ({
      command: [process.execPath, join(PEERS, file), String(port), String(upstream)],
    }),
  };
}

/** Measures what could be reached: cLess beside its parts, beside what could replace them, and nginx. */
export async function benchCeilings(): Promise<Row[]> {
  const nginx = peers.filter(({ name }) => name === 'nginx');
  const bed = await Bed.start([
    cless(OURS),
    cless('cLess with an access log', { logLevel: 'info' }),
    script('node:http and undici with nothing in between', 'node-undici.js'),
    script('node:http alone, answering itself', 'node-answers.js'),
    script('an experiment: heads rewritten by hand over node:net', 'node-rewrite.js'),
    script('a pipe of node:net, nothing parsed', 'node-pipe.js'),
    ...nginx,
  ]);
  try {
    const measured = new Map<string, number[]>(bed.running.map(({ name }) => [name, []]));
    for (let round = 0; round < ROUNDS; round++) {
      for (const { name, port } of bed.running)
        measured.get(name)?.push((await load(port, { connections: 50 })).requestsPerSecond);
    }
    const theirs = median(measured.get('nginx') ?? []);
    return [...measured].map(([name, sample]): Row => {
      const rate = median(sample);
      return {
        what: `what could be reached, 50 connections: ${name}`,
        value: `${rate.toFixed(0)} requests/s, ${(rate / theirs).toFixed(2)} of nginx`,
        chart: {
          title: 'What could be reached, 50 connections',
          unit: 'requests/s',
          label: name,
          amount: rate,
        },
      };
    });
  } finally {
    await bed.stop();
  }
}
