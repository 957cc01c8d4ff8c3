import { join } from 'node:path';
import { Bed } from '../bed/bed.ts';
import { cless, OURS, OURS_FULL_WAY } from '../bed/cless.ts';
import type { Peer } from '../bed/peer.ts';
import { NGINX } from '../bed/peers.ts';
import { compare, warmUp } from '../load/compare.ts';
import { scriptOf } from '../load/heads.ts';
import { loadRows } from '../report/load-rows.ts';
import type { Row } from '../report/row.ts';

const PEERS = join(import.meta.dirname, '..', '..', 'peers');

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
  const bed = await Bed.start([
    OURS,
    OURS_FULL_WAY,
    cless('cLess with an access log', { logLevel: 'info' }),
    script('node:http and undici with nothing in between', 'node-undici.js'),
    script('node:http alone, answering itself', 'node-answers.js'),
    script('a pipe of node:net, nothing parsed', 'node-pipe.js'),
    NGINX,
  ]);
  try {
    const small = scriptOf(bed.directory, 36);
    await warmUp(bed.running, small);
    const results = await compare(bed.running, { connections: 50, seconds: 2, script: small });
    return loadRows('What could be reached', results, OURS.name);
  } finally {
    await bed.stop();
  }
}
