import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { noEngine } from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishedPackages } from './packages.ts';

/*
 * Each package as a user gets it: packed, installed into an empty folder outside the workspace, and its README's
 * example run there.
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

/**
 * The type errors in a package and in code that uses it, where nothing else is installed. Without `skipLibCheck`,
 * which turns missing types into `any`.
 */
async function typeErrors(folder: string, name: string): Promise<string[]> {
  const isClient = name === '@cless/cli';
  writeFileSync(
    join(folder, 'check.ts'),
    [
      `import * as all from '${name}';`,
      'console.log(all);',
      isClient && "const [service] = await new all.AdminClient({ url: '', token: '' }).services();",
      isClient && '// @ts-expect-error no service has that',
      isClient && 'service?.nonsense;',
    ]
      .filter(Boolean)
      .join('\n'),
  );
  const options = {
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    module: 'nodenext',
    types: ['node'],
    typeRoots: [resolve('node_modules/@types')],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: ['check.ts'] }),
  );
  const said = await run(resolve('node_modules/.bin/tsc'), ['--pretty', 'false'], { cwd: folder }).then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
  // Ignores errors in packages of others.
  return said.split('\n').filter((line) => /^(?:check\.ts|node_modules\/@cless\/)/.test(line));
}

const needsEngine = new Set(['@cless/runtime-docker']);

describe.each(packages)('$name', ({ name, directory: from, needs }) => {
  test.skipIf(needsEngine.has(name) && noEngine !== undefined)(
    'works outside the workspace, as its README says',
    async () => {
      const folder = mkdtempSync(join(directory, 'project-'));
      writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
      const readme = readFileSync(join(from, 'README.md'), 'utf8');
      // The packages that the README says to install, and their dependencies.
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
      expect(await typeErrors(folder, name)).toEqual([]);
    },
  );
});
