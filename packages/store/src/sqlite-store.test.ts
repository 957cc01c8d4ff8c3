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
import { sampleRevision, sampleService } from '@cless/testkit';
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

/** Specs exactly as earlier versions stored them, with all options and with none. */
const OLD_SPECS = [
  '{"image":"web:1","imageId":"sha256:1","port":3000,"entrypoint":["/app"],"command":["-v"],"user":"1000","env":{"A":"a"},"volumes":[{"source":"data","target":"/data","readOnly":true}],"networks":["db"],"memoryBytes":268435456,"cpus":0.5,"pids":100,"hardening":"restricted","relaxations":["root-user"],"readiness":{"kind":"http","path":"/ready","statuses":[404,[200,299]]},"readyTimeoutMs":5000,"responseTimeoutMs":90000,"stopGraceMs":1000,"pauseAfterMs":60000,"stopAfterMs":"never","rollout":"overlap"}',
  '{"image":"web:1","imageId":"sha256:1","env":{},"volumes":[],"networks":[],"relaxations":[],"readiness":{"kind":"tcp"}}',
];

test('revisions that earlier versions stored are read as they were', () => {
  const path = newPath();
  const before = new SqliteStore(path);
  before.put(sampleService('web'));
  const names = OLD_SPECS.map(() => before.addRevision('web', sampleRevision()).name);
  before.close();
  const old = new DatabaseSync(path);
  for (const [i, spec] of OLD_SPECS.entries())
    old.prepare('UPDATE revisions SET spec = ? WHERE name = ?').run(spec, names[i] ?? '');
  old.close();

  const after = new SqliteStore(path);
  const specs = names.map((name) => after.revision('web', name)?.spec);
  expect(specs).toEqual(OLD_SPECS.map((spec) => JSON.parse(spec)));
  after.close();
});

test('a revision that was stored when there were fewer options is whole', () => {
  const path = newPath();
  const before = new SqliteStore(path);
  before.put(sampleService('web'));
  const { name, spec } = before.addRevision('web', sampleRevision());
  before.close();
  const old = new DatabaseSync(path);
  old.prepare('UPDATE revisions SET spec = ?').run('{"image":"sample:1","imageId":"sha256:1"}');
  old.close();

  const after = new SqliteStore(path);
  expect(after.revision('web', name)?.spec).toEqual(spec);
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
  // Run as nobody, since root can write any file.
  const asRoot = process.getuid?.() === 0;
  if (asRoot) process.seteuid?.(65534);
  try {
    expect(() => new SqliteStore(readOnly)).toThrow(expect.objectContaining({ code: 'DATABASE_UNWRITABLE' }));
  } finally {
    if (asRoot) process.seteuid?.(0);
  }
});

test('a row that is damaged is told as a damage of the database, whichever it is', () => {
  const path = newPath();
  const store = new SqliteStore(path);
  store.put(sampleService('web'));
  const { name } = store.addRevision('web', sampleRevision());
  const database = new DatabaseSync(path);
  for (const [column, read] of [
    ['revisions SET spec', () => store.revision('web', name)],
    ['revisions SET state', () => store.revisions('web')],
    ['services SET definition', () => store.service('web')],
  ] as const) {
    database.exec(`UPDATE ${column} = '{"cut'`);
    expect(read).toThrow(
      expect.objectContaining({ code: 'DATABASE_DAMAGED', message: expect.stringContaining(path) }),
    );
  }
  database.close();
  store.close();
});
