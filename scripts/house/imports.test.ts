import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packageOf, readImports, roomOf } from './imports.ts';

const root = mkdtempSync(join(tmpdir(), 'cless-imports-'));
afterAll(() => rmSync(root, { recursive: true }));

test('every way to import is seen, and what only looks like one is not', () => {
  const write = (file: string, text = '') => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  write(
    'packages/one/src/main.ts',
    `
      import { a } from './a.ts';
      import type { B } from './folder/b.ts';
      export { c } from "./c.ts";
      const d = await import('./d.ts');
      type E = import('./e.ts').E;
      import { two } from '@cless/two';
      import { readFileSync } from 'node:fs';
      // import './f.ts';
      const text = "import './g.ts'";
    `,
  );
  for (const file of ['a', 'folder/b', 'c', 'd', 'e', 'f', 'g']) write(`packages/one/src/${file}.ts`);
  write('packages/two/src/index.ts');
  write('packages/two/src/index.test.ts', "import './fake.ts';");
  write('packages/two/src/fake.ts', "import '../../one/src/a.ts';");

  const imports = readImports(root);
  expect(imports.get('packages/one/src/main.ts')).toEqual([
    'packages/one/src/a.ts',
    'packages/one/src/c.ts',
    'packages/one/src/d.ts',
    'packages/one/src/e.ts',
    'packages/one/src/folder/b.ts',
    'packages/two/src/index.ts',
  ]);
  expect([...imports.keys()].filter((module) => packageOf(module) === 'two')).toEqual([
    'packages/two/src/index.ts',
  ]);
});

test('a module is in the folder of its package, or is a room of its own', () => {
  expect(packageOf('packages/proxy/src/edge/http1.ts')).toBe('proxy');
  expect(roomOf('packages/proxy/src/edge/http1.ts')).toBe('edge');
  expect(roomOf('packages/proxy/src/server.ts')).toBe('server.ts');
});
