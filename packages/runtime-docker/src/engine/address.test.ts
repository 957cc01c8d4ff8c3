import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { engineAddress } from './address.ts';

const home = mkdtempSync(join(tmpdir(), 'cless-home-'));
afterAll(() => rmSync(home, { recursive: true }));

function context(name: string, host: string): void {
  const folder = join(home, '.docker', 'contexts', 'meta', createHash('sha256').update(name).digest('hex'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'meta.json'),
    JSON.stringify({ Name: name, Endpoints: { docker: { Host: host } } }),
  );
}

test('the default socket', () => {
  expect(engineAddress({ HOME: home })).toBe('unix:///var/run/docker.sock');
});

test('DOCKER_HOST comes first', () => {
  expect(engineAddress({ HOME: home, DOCKER_HOST: 'tcp://10.0.0.1:2376', DOCKER_CONTEXT: 'none' })).toBe(
    'tcp://10.0.0.1:2376',
  );
});

test('then the context that is named, then the current one', () => {
  context('colima', 'unix:///colima.sock');
  context('rootless', 'unix:///run/user/1000/docker.sock');
  writeFileSync(join(home, '.docker', 'config.json'), JSON.stringify({ currentContext: 'colima' }));
  expect(engineAddress({ HOME: home })).toBe('unix:///colima.sock');
  expect(engineAddress({ HOME: home, DOCKER_CONTEXT: 'rootless' })).toBe('unix:///run/user/1000/docker.sock');
  expect(engineAddress({ HOME: home, DOCKER_CONTEXT: 'default' })).toBe('unix:///var/run/docker.sock');
  expect(() => engineAddress({ HOME: home, DOCKER_CONTEXT: 'gone' })).toThrow(
    'the docker context gone has no endpoint',
  );
});
