import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import config from '../vitest.workspace.ts';
import { missingPackages } from './complete-lockfile.ts';
import { circles } from './house/order.ts';

const ROOT = join(import.meta.dirname, '..');

const manifests = readdirSync(join(ROOT, 'packages')).map((folder) =>
  JSON.parse(readFileSync(join(ROOT, 'packages', folder, 'package.json'), 'utf8')),
);

test('the test projects of all packages are found', () => {
  const projects = (config as { test?: { projects?: { test: { name: string } }[] } }).test?.projects ?? [];
  const names = projects.map((project) => project.test.name);
  for (const { name } of manifests) {
    const kinds = ['unit', 'integration', 'engine'].map((kind) => `${name.replace('@cless/', '')}:${kind}`);
    expect(names).toEqual(expect.arrayContaining(kinds));
  }
});

test('no package needs itself through others, not even for its tests', () => {
  const needs = new Map<string, readonly string[]>(
    manifests.map(({ name, dependencies, devDependencies }) => [
      name,
      Object.keys({ ...dependencies, ...devDependencies }).filter((one) => one.startsWith('@cless/')),
    ]),
  );
  expect(circles(needs)).toEqual([]);
});

test('what is of use alone depends on no other of ours', () => {
  const alone = ['activator', 'health', 'router', 'runtime-docker', 'runtime-process', 'store'];
  const depending = manifests
    .filter(({ name }) => alone.includes(name.replace('@cless/', '')))
    .flatMap(({ name, dependencies = {}, peerDependencies = {} }) =>
      Object.keys({ ...dependencies, ...peerDependencies })
        .filter((one) => one.startsWith('@cless/'))
        .map((one) => `${name} → ${one}`),
    );
  expect(depending).toEqual([]);
});

test('every script that runs Vitest names the configuration, which it would not find by itself', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const [name, command] of Object.entries<string>(scripts)) {
    if (command.includes('vitest'))
      expect([name, command]).toEqual([name, expect.stringContaining('--config vitest.workspace.ts')]);
  }
});

test('the lockfile names the optional packages of all platforms, or npm ci would refuse it', () => {
  expect([...missingPackages().keys()]).toEqual([]);
});

test('npx cless-proxy runs with the flags of npm start', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'packages/proxy/package.json'), 'utf8'));
  const [first = ''] = readFileSync(join(ROOT, 'packages/proxy/src/main.ts'), 'utf8').split('\n');
  expect(`exec ${first.replace('#!/usr/bin/env -S ', '')} dist/main.js`).toBe(scripts.start);
});

test('every changeset says of which packages it is, as changesets reads it', () => {
  const directory = join(ROOT, '.changeset');
  const changesets = readdirSync(directory).filter((name) => name.endsWith('.md') && name !== 'README.md');
  expect(changesets).not.toEqual([]);
  for (const name of changesets) {
    expect(readFileSync(join(directory, name), 'utf8'), name).toMatch(
      /^---\n('@cless\/[a-z-]+': (major|minor|patch)\n)+---\n\n\S/,
    );
  }
});
