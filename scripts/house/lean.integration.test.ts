import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'tsup';
import { afterAll, expect, test } from 'vitest';
import { IN_PARTS, lean } from '../../tsup.lean.ts';

/*
 * A built file loads parts of packages, and they are the same as those of the whole.
 */

const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
const directory = mkdtempSync(join(cache, 'lean-')); // where packages can be found
afterAll(() => rmSync(directory, { recursive: true }));

test('only the parts are loaded, and they are those of the packages', async () => {
  const entry = join(directory, 'entry.ts');
  writeFileSync(
    entry,
    `
      import { createRequire } from 'node:module';
      import { createServer } from 'node:http';
      import { Counter, Gauge, Histogram, Registry } from 'prom-client';
      import { Client, errors } from 'undici';

      const require = createRequire(import.meta.url);
      const loaded = Object.keys(require.cache);
      const parts = { undici: { Client, errors }, 'prom-client': { Counter, Gauge, Histogram, Registry } };
      console.log(JSON.stringify({
        server: createServer() instanceof require('node:http').Server,
        nodesUndici: process.moduleLoadList.includes('NativeModule internal/deps/undici/undici'),
        fetch: loaded.some((file) => file.includes('undici/lib/web/fetch/')),
        cluster: loaded.some((file) => file.includes('prom-client/lib/cluster')),
        request: typeof Client.prototype.request,
        differing: Object.entries(parts).flatMap(([name, taken]) =>
          Object.keys(taken).filter((part) => taken[part] !== require(name)[part])),
      }));
    `,
  );
  await build({
    entry: [entry],
    outDir: directory,
    format: 'esm',
    silent: true,
    config: false,
    tsconfig: 'tsconfig.base.json',
    noExternal: [...IN_PARTS],
    esbuildPlugins: [lean],
    removeNodeProtocol: false,
  });
  const told = execFileSync(process.execPath, [join(directory, 'entry.js')], { encoding: 'utf8' });
  expect(JSON.parse(told)).toEqual({
    server: true,
    nodesUndici: false,
    fetch: false,
    cluster: false,
    request: 'function',
    differing: [],
  });
});
