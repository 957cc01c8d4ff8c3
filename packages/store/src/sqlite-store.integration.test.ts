import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleService, seededRandom } from '@cless/testkit';
import { afterAll, expect, test } from 'vitest';
import { SqliteStore } from './sqlite-store.ts';

/*
 * What only shows with a killed process or very many services.
 */

const directory = mkdtempSync(join(tmpdir(), 'cless-store-'));
afterAll(() => rmSync(directory, { recursive: true }));

const MODULE = new URL('./sqlite-store.ts', import.meta.url).href;
const WRITER = `
  import { writeSync } from 'node:fs';
  import { SqliteStore } from ${JSON.stringify(MODULE)};
  const store = new SqliteStore(process.argv[1]);
  const definition = (n) => ({ name: 's' + n, hosts: ['s' + n + '.example'], revisionHeader: false, sticky: false });
  const spec = { image: 'x', imageId: 'x', env: {}, volumes: [], networks: [], relaxations: [] };
  for (let n = Number(process.argv[2]); ; n++) {
    store.put(definition(n));
    const { name } = store.addRevision('s' + n, spec, { TOKEN: 't' + n });
    store.settle('s' + n, name, { phase: 'ready' });
    store.setTraffic('s' + n, { splits: [{ revision: name, percent: 100 }], tags: {} });
    writeSync(1, n + '\\n');
  }
`;

test('an acknowledged write survives SIGKILL at any moment', { timeout: 60_000 }, async () => {
  const path = join(directory, 'killed.db');
  const random = seededRandom(7);
  let acknowledged = -1;
  for (let round = 0; round < 20; round++) {
    const writer = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--input-type=module-typescript',
        '-e',
        WRITER,
        path,
        String(acknowledged + 2),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    writer.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(writer.stdout, 'data');
    await sleep(random() * 30);
    writer.kill('SIGKILL');
    await once(writer, 'close');
    acknowledged = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));

    const store = new SqliteStore(path);
    const service = store.service(`s${acknowledged}`);
    const revision = service?.traffic.splits[0]?.revision ?? '';
    expect(service?.traffic.splits).toEqual([{ revision: `s${acknowledged}-00001`, percent: 100 }]);
    expect(store.secrets(`s${acknowledged}`, revision)).toEqual({ TOKEN: `t${acknowledged}` });
    expect(store.ownerOf(`s${acknowledged}.example`)).toBe(`s${acknowledged}`);
    store.close();
  }
  expect(acknowledged).toBeGreaterThan(20);
});

test('100,000 services: found by host, listed in pages', { timeout: 120_000 }, () => {
  const path = join(directory, 'many.db');
  new SqliteStore(path).close();
  // In one transaction: one by one would be 100,000 times to the disk and back.
  const database = new DatabaseSync(path);
  const definition = JSON.stringify(sampleService('NAME', { hosts: ['NAME.example'] }));
  database.exec(`
    BEGIN;
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
    INSERT INTO services SELECT printf('s%06d', i), replace('${definition}', 'NAME', printf('s%06d', i)), 1, '', '' FROM n;
    INSERT INTO hosts SELECT name || '.example', name FROM services;
    COMMIT;
  `);
  database.close();
  const store = new SqliteStore(path);
  expect(store.ownerOf('s077777.example')).toBe('s077777');
  let after = '';
  let seen = 0;
  for (
    let page = store.services({ limit: 1_000 });
    page.length > 0;
    page = store.services({ after, limit: 1_000 })
  ) {
    seen += page.length;
    after = page.at(-1)?.name ?? '';
  }
  expect(seen).toBe(100_000);
  const plan = new DatabaseSync(path)
    .prepare('EXPLAIN QUERY PLAN SELECT service FROM hosts WHERE host = ?')
    .all('a')
    .map(({ detail }) => String(detail));
  expect(plan).toEqual([expect.stringMatching(/SEARCH hosts USING PRIMARY KEY/)]);
  store.close();
});
