import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { benchCeilings } from './parts/ceilings.ts';
import { benchConnections } from './parts/connections.ts';
import { benchLoads } from './parts/loads.ts';
import { benchOpenLoop } from './parts/open-loop.ts';
import { benchScale } from './parts/scale.ts';
import { benchStarts } from './parts/starts.ts';
import { benchWarm } from './parts/warm.ts';
import { benchWorkers } from './parts/workers.ts';
import { page } from './report/page.ts';
import type { Row } from './report/row.ts';
import { table } from './report/table.ts';

/*
 * `npm run bench`: measures cLess and its peers in one run on one machine, and prints ratios and differences. Results
 * go to bench-results/, as JSON and as a page with charts.
 */

const BENCHMARKS: Readonly<Record<string, () => Promise<Row[]>>> = {
  starts: benchStarts,
  warm: benchWarm,
  connections: benchConnections,
  'open-loop': benchOpenLoop,
  loads: benchLoads,
  scale: benchScale,
  workers: benchWorkers,
  ceilings: benchCeilings,
};

async function main(): Promise<number> {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !(name in BENCHMARKS));
  if (unknown.length > 0) {
    console.error(
      `no such benchmark: ${unknown.join(', ')}; allowed are ${Object.keys(BENCHMARKS).join(', ')}`,
    );
    return 2;
  }
  const rows: Row[] = [];
  let failed = 0;
  for (const [name, run] of Object.entries(BENCHMARKS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    console.log(`measuring ${name} …`);
    try {
      rows.push(...(await run()));
      write(rows);
    } catch (error) {
      console.error(`${name} could not be measured:`, error);
      failed += 1;
    }
  }
  console.log(table(rows));
  console.log('bench-results/index.html shows it with charts');
  return failed === 0 ? 0 : 1;
}

function write(rows: readonly Row[]): void {
  const about = `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}: proxies on one core, load and upstream on the other; medians of rounds that alternate.`;
  mkdirSync('bench-results', { recursive: true });
  writeFileSync('bench-results/results.json', `${JSON.stringify({ about, rows }, null, 2)}\n`);
  writeFileSync('bench-results/index.html', page(rows, about));
}

process.exit(await main());
