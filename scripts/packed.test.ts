import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { noEngine } from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishedPackages } from './packages.ts';

/*
 * Each package as somebody else gets it: packed, installed into an empty folder outside the workspace, and its
 * README's example run there.
 */

const run = promisify(execFile);
const packages = publishedPackages();
const tarballs = new Map<string, string>();
const directory = mkdtempSync(join(tmpdir(), 'cless-packed-'));

beforeAll(async () => {
  for (const { name, directory: from } of packages) {
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', directory], { cwd: from });
    tarballs.set(name, join(directory, stdout.trim().split('\n').at(-1) ?? ''));
  }
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const needsEngine = new Set(['@cless/runtime-docker']);

describe.each(packages)('$name', ({ name, directory: from, needs }) => {
  test.skipIf(needsEngine.has(name) && noEngine !== undefined)(
    'works outside the workspace, as its README says',
    async () => {
      const folder = mkdtempSync(join(directory, 'project-'));
      writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
      const readme = readFileSync(join(from, 'README.md'), 'utf8');
      // What the README says to install, and what that needs.
      const [, named = ''] = /^npm install (?:-g )?(.*)$/m.exec(readme) ?? [];
      const wanted = new Set([...named.split(' '), name, ...needs]);
      const install = [...wanted].map((one) => tarballs.get(one) ?? one);
      await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...install], {
        cwd: folder,
      });
      const { stdout: tree } = await run('npm', ['ls', '--all', '--parseable'], { cwd: folder });
      const cless = new Set([...tree.matchAll(/node_modules\/(@cless\/[\w-]+)$/gm)].map(([, one]) => one));
      expect(cless).toEqual(wanted);

      const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
      writeFileSync(join(folder, 'example.js'), example);
      const { stdout } = await run(process.execPath, ['example.js'], { cwd: folder });
      const promised = [...example.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, text]) => text);
      expect(promised.length).toBeGreaterThan(0);
      expect(stdout.trim().split('\n')).toEqual(promised);
    },
  );
});
