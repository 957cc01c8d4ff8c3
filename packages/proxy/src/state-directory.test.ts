import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { StateDirectory, StateDirectoryError } from './state-directory.ts';

const directory = mkdtempSync(join(tmpdir(), 'cless-state-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('it is made for its owner’s eyes only, and keeps one id', () => {
  const path = join(directory, 'a', 'b');
  const state = new StateDirectory(path);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  const owner = state.owner();
  expect(owner).toMatch(/^[0-9a-f]{12}$/);
  state.close();
  const again = new StateDirectory(path);
  expect(again.owner()).toBe(owner);
  again.close();
});

test('one proxy at a time has it; a killed one has it no longer', () => {
  const path = join(directory, 'locked');
  const module = new URL('./state-directory.ts', import.meta.url).href;
  const script = `import { StateDirectory } from ${JSON.stringify(module)}; new StateDirectory(${JSON.stringify(path)}); process.kill(process.pid, 'SIGKILL');`;
  expect(spawnSync(process.execPath, ['--input-type=module', '-e', script]).signal).toBe('SIGKILL');
  const state = new StateDirectory(path);
  expect(() => new StateDirectory(path)).toThrow(StateDirectoryError);
  expect(() => new StateDirectory(path)).toThrow('another proxy uses the state directory');
  state.close();
  new StateDirectory(path).close();
});

test('one that cannot be made is an error that names the setting', () => {
  writeFileSync(join(directory, 'file'), '');
  expect(() => new StateDirectory(join(directory, 'file', 'state'))).toThrow(/CLESS_STATE_DIR names another/);
});
