import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noDisks, SmallDisk, sampleRevision, sampleService } from '@cless/testkit';
import { afterAll, expect, test } from 'vitest';
import { SqliteStore } from './sqlite-store.ts';

/*
 * A full disk, and a database that another program writes, while the store is in use. Both are real.
 */

const directory = mkdtempSync(join(tmpdir(), 'cless-trouble-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Every method that changes something. The revision is one that serves. */
function changes(store: SqliteStore, revision: string): Readonly<Record<string, () => unknown>> {
  return {
    put: () => store.put(sampleService('other', { hosts: ['other.example'] })),
    'put again': () => store.put(sampleService('web', { hosts: ['elsewhere.example'] })),
    remove: () => store.remove('web'),
    addRevision: () => store.addRevision('web', sampleRevision(), { TOKEN: 'x'.repeat(100_000) }),
    settle: () =>
      store.settle('web', 'web-00002', {
        phase: 'failed',
        reason: 'x'.repeat(100_000),
        lastLogLines: [],
      }),
    setTraffic: () => store.setTraffic('web', { splits: [], tags: { t: revision } }),
    removeRevision: () => store.removeRevision('web', 'web-00002'),
  };
}

/** A service with a revision that serves and one that is pending. */
function fill(store: SqliteStore): string {
  store.put(sampleService('web', { hosts: ['web.example'] }));
  const { name } = store.addRevision('web', sampleRevision(), { TOKEN: 'x' });
  store.settle('web', name, { phase: 'ready' });
  store.setTraffic('web', { splits: [{ revision: name, percent: 100 }], tags: {} });
  store.addRevision('web', sampleRevision());
  return name;
}

function everything(store: SqliteStore): unknown {
  return {
    services: store.services(),
    revisions: store.revisions('web'),
    host: store.ownerOf('web.example'),
  };
}

function thrownBy(change: () => unknown): unknown {
  try {
    change();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('while another process writes, each change is refused at once, and reads go on', async () => {
  const path = join(directory, 'locked.db');
  const store = new SqliteStore(path);
  const revision = fill(store);
  const before = everything(store);
  const writer = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '-e',
      `const { DatabaseSync } = require('node:sqlite');
       const database = new DatabaseSync(process.argv[1]);
       database.exec("BEGIN IMMEDIATE; UPDATE services SET version = 99");
       console.log('locked');
       setInterval(() => {}, 1_000);`,
      path,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await once(writer.stdout, 'data');
    let told = 0;
    store.onChange(() => told++);
    for (const [name, change] of Object.entries(changes(store, revision))) {
      const error = thrownBy(change);
      expect(error, name).toMatchObject({ code: 'DATABASE_BUSY' });
      expect(everything(store), name).toEqual(before);
    }
    expect(told).toBe(0);
    // As a worker does that starts at that moment.
    const reader = new SqliteStore(path);
    expect(everything(reader)).toEqual(before);
    reader.close();
  } finally {
    writer.kill('SIGKILL');
    await once(writer, 'close');
  }
  expect(everything(store)).toEqual(before); // the unfinished change of the other has no effect
  for (const [name, change] of Object.entries(changes(store, revision)))
    if (name !== 'remove') expect(thrownBy(change), name).toBeUndefined();
  store.close();
});

test.skipIf(noDisks)('on a full disk each change is refused whole, and all goes on with space again', () => {
  const disk = new SmallDisk();
  try {
    const path = join(disk.path, 'full.db');
    const store = new SqliteStore(path);
    const revision = fill(store);
    disk.fill();
    const before = everything(store);
    for (const [name, change] of Object.entries(changes(store, revision))) {
      const error = thrownBy(change);
      expect(error, name).toMatchObject({
        code: 'DATABASE_FULL',
        message: expect.stringContaining('make room'),
      });
      expect(everything(store), name).toEqual(before);
    }
    const reader = new SqliteStore(path);
    expect(everything(reader)).toEqual(before);
    reader.close();

    disk.clear();
    for (const [name, change] of Object.entries(changes(store, revision)))
      if (name !== 'remove') expect(thrownBy(change), name).toBeUndefined();
    store.close();
    const after = new SqliteStore(path);
    expect(after.ownerOf('elsewhere.example')).toBe('web');
    after.close();
  } finally {
    disk.remove();
  }
});
