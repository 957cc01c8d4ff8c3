import { existsSync } from 'node:fs';
import { defineConfig } from 'tsup';

/** What the packages share becomes a part of each, so that none needs another at run time. */
const SHARED = '@cless/model';

/** How each package is built: ESM and types, from `src/index.ts` and, where there is one, `src/main.ts`. */
export default defineConfig({
  entry: ['src/index.ts', 'src/main.ts'].filter((file) => existsSync(file)),
  format: 'esm',
  // Not `tsconfig.json`, by whose paths packages find each other's sources.
  tsconfig: '../../tsconfig.base.json',
  // Its own imports have to be named, too: seen through a link in node_modules they pass for somebody else's.
  dts: { resolve: [SHARED, /^\.\.?\/.*\.ts$/] },
  noExternal: [SHARED],
  clean: true,
  silent: true,
  // `sqlite` without `node:` is somebody's package.
  removeNodeProtocol: false,
});
