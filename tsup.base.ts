import { existsSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { IN_PARTS, lean } from './tsup.lean.ts';

/** The shared package is inlined into each, so that none needs another at run time. */
const SHARED = '@cless/model';

/** How each package is built: ESM and types, from `src/index.ts` and, where there is one, `src/main.ts`. */
export default defineConfig({
  entry: ['src/index.ts', 'src/main.ts'].filter((file) => existsSync(file)),
  format: 'esm',
  // Not `tsconfig.json`, by whose paths packages find each other's sources.
  tsconfig: '../../tsconfig.base.json',
  // Its own imports have to be listed too: seen through a link in node_modules they look like an external package.
  dts: { resolve: [SHARED, /^\.\.?\/.*\.ts$/] },
  noExternal: [SHARED, ...IN_PARTS],
  esbuildPlugins: [lean],
  clean: true,
  silent: true,
  // `sqlite` without `node:` is another package.
  removeNodeProtocol: false,
});
