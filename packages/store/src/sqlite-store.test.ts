import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleRevision, sampleService, seededRandom } from '@cless/testkit';
import { afterAll, expect, test } from 'vitest';
import { describeStore } from '../test/describe-store.ts';
import { SqliteStore } from './sqlite-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'cless-store-'));
chmodSync(directory, 0o755);
afterAll(() => rmSync(directory, { recursive: true }));

let counter = 0;
const newPath = () => join(directory, `${counter++}.db`);

describeStore('SQLite', { create: () => new SqliteStore(newPath()) });

test('what was written is there after a restart, and for the eyes of its owner only', () => {
  const path = newPath();
  const before = new SqliteStore(path);
  before.put(sampleService('web', { hosts: ['web.example'] }));
  const { name } = before.addRevision('web', sampleRevision(), { TOKEN: 'x' });
  before.settle('web', name, { phase: 'ready' });
  const service = before.setTraffic('web', { splits: [{ revision: name, percent: 100 }], tags: { t: name } });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  before.close();

  const after = new SqliteStore(path);
  expect(after.service('web')).toEqual(service);
  expect(after.secrets('web', name)).toEqual({ TOKEN: 'x' });
  after.close();
});

test('what wrote a volume before the rollout was said replaces', () => {
  const path = newPath();
  const before = new SqliteStore(path);
  before.put(sampleService('web'));
  const volume = (readOnly: boolean) => [{ source: 'data', target: '/data', readOnly }];
  for (const volumes of [[], volume(true), volume(false)])
    before.addRevision('web', sampleRevision({ volumes }));
  before.close();
  const old = new DatabaseSync(path);
  old.exec('PRAGMA user_version = 1');
  old.close();

  const after = new SqliteStore(path);
  expect(after.revisions('web').map(({ spec }) => spec.rollout)).toEqual(['replace', undefined, undefined]);
  after.close();
});

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
  const path = newPath();
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

test('a database that is damaged, newer or not ours is an error that says so, and stays as it is', () => {
  const garbage = newPath();
  writeFileSync(garbage, 'this is a letter to somebody, and no database at all\n'.repeat(50));

  const damaged = newPath();
  const store = new SqliteStore(damaged);
  for (let i = 0; i < 500; i++) store.put(sampleService(`service-${i}`, { hosts: [`${i}.example`] }));
  store.close();
  const bytes = readFileSync(damaged);
  bytes.fill(0xff, 3 * 4096, 8 * 4096);
  writeFileSync(damaged, bytes);

  const short = newPath();
  writeFileSync(short, readFileSync(damaged));
  truncateSync(short, 5_000);

  const newer = newPath();
  new SqliteStore(newer).close();
  const changed = new DatabaseSync(newer);
  changed.exec('PRAGMA user_version = 99');
  changed.close();

  const foreign = newPath();
  const other = new DatabaseSync(foreign);
  other.exec('CREATE TABLE recipes (name TEXT)');
  other.close();

  const empty = newPath();
  writeFileSync(empty, '');

  const cases = [
    [empty, 'damaged'],
    [garbage, 'damaged'],
    [damaged, 'damaged'],
    [short, 'damaged'],
    [newer, 'newer'],
    [foreign, 'foreign'],
  ] as const;
  for (const [path, problem] of cases) {
    const before = readFileSync(path);
    expect(() => new SqliteStore(path)).toThrow(
      expect.objectContaining({
        code: `DATABASE_${problem.toUpperCase()}`,
        message: expect.stringContaining(path),
      }),
    );
    expect(readFileSync(path).equals(before), `${problem} stays as it is`).toBe(true);
  }
});

test('a database that cannot be written is an error that says so', () => {
  const folder = newPath();
  mkdirSync(folder);
  const missing = join(directory, 'no', 'such', 'folder.db');
  for (const path of [folder, missing]) {
    expect(() => new SqliteStore(path)).toThrow(expect.objectContaining({ code: 'DATABASE_UNWRITABLE' }));
  }

  const readOnly = newPath();
  new SqliteStore(readOnly).close();
  chmodSync(readOnly, 0o444);
  // As root every file can be written: so as nobody.
  const asRoot = process.getuid?.() === 0;
  if (asRoot) process.seteuid?.(65534);
  try {
    expect(() => new SqliteStore(readOnly)).toThrow(expect.objectContaining({ code: 'DATABASE_UNWRITABLE' }));
  } finally {
    if (asRoot) process.seteuid?.(0);
  }
});

test('100,000 services: found by host, listed in pages', { timeout: 120_000 }, () => {
  const path = newPath();
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
