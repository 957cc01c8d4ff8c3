import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { buildTestImage, ensureEngine, imageExists } from '@cless/testkit/host';
import { benchCeilings } from './ceilings.ts';
import { benchLoads } from './loads.ts';
import { page, type Row, table } from './report.ts';
import { benchScale } from './scale.ts';
import { benchStarts } from './starts.ts';
import { benchWarm } from './warm.ts';
import { benchWorkers } from './workers.ts';

/*
 * `npm run bench`: measures cLess and its peers in one run on one machine, and prints ratios and differences. Results
 * go to bench-results/, as JSON and as a page with charts.
 */

const BENCHMARKS: Readonly<Record<string, () => Promise<Row[]>>> = {
  starts: benchStarts,
  warm: benchWarm,
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
  const engine = await ensureEngine();
  if (!engine.available) {
    console.error(`no Docker Engine: ${engine.reason}`);
    return 1;
  }
  try {
    if (!imageExists('cless-testkit')) await buildTestImage();
    const rows: Row[] = [];
    for (const [name, run] of Object.entries(BENCHMARKS)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      console.log(`measuring ${name} …`);
      rows.push(...(await run()));
    }
    console.log(table(rows));
    mkdirSync('bench-results', { recursive: true });
    const about = `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}: proxies on one core, load and upstream on the other; medians of rounds that alternate.`;
    writeFileSync('bench-results/results.json', `${JSON.stringify({ about, rows }, null, 2)}\n`);
    writeFileSync('bench-results/index.html', page(rows, about));
    console.log('bench-results/index.html shows it with charts');
    return 0;
  } finally {
    await engine.stop();
  }
}

process.exit(await main());
