import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Host } from '../../test/in-process.ts';

let host: Host;
let directory: string;
beforeEach(async () => {
  host = await Host.start();
  directory = mkdtempSync(join(tmpdir(), 'cless-apply-'));
});
afterEach(async () => {
  await host.close();
  rmSync(directory, { recursive: true });
});

function apply(content: string, ...more: string[]) {
  const file = join(directory, 'cless.yaml');
  writeFileSync(file, content);
  return host.cless('apply', '-f', file, ...more);
}

const names = () => host.store.services().map(({ name }) => name);

test('does what the file says, and then there is nothing to do', async () => {
  const file = 'services:\n  web: { image: web:1, hosts: [web.example] }\n  shop: { image: web:2 }\n';
  const first = await apply(file);
  expect(first).toMatchObject({ code: 0, out: '2 services changed\n' });
  expect(first.err).toMatch(/^\+ web\n/);
  expect(first.err).toContain('\n+ shop\n');
  expect(names()).toEqual(['shop', 'web']);
  expect(host.store.service('web')?.hosts).toEqual(['web.example']);
  const second = await apply(file);
  expect(second).toMatchObject({ code: 0, out: 'nothing to do\n' });
  expect(second.err).toMatch(/^= web\n= shop\n/);
  expect(host.store.revisions('web')).toHaveLength(1);
});

test('a difference is shown, and on a dry run nothing else happens', async () => {
  await apply('services:\n  web: { image: web:1 }\n');
  const { out, err } = await apply('services:\n  web: { image: web:2, sticky: true }\n', '--dry-run');
  expect(out).toBe('1 service to be changed\n');
  expect(err).toMatch(/^~ web\n[\s\S]*sticky[\s\S]*image/);
  expect(host.store.service('web')?.sticky).toBe(false);
  expect(host.store.revisions('web')).toHaveLength(1);
});

test('what the file does not name goes only if it is told so', async () => {
  await host.deploy('old');
  const file = 'services:\n  web: { image: web:1 }\n';
  await apply(file);
  expect(names()).toEqual(['old', 'web']);
  const { out, err } = await apply(file, '--prune', '--json');
  expect(err).toBe('');
  expect(JSON.parse(out)).toMatchObject({
    dryRun: false,
    steps: [
      { service: 'web', action: 'none' },
      { service: 'old', action: 'remove' },
    ],
  });
  expect(names()).toEqual(['web']);
});

test('without a file it says how', async () => {
  expect(await host.cless('apply')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--file is missing'),
  });
});
