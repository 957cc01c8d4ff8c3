import { existsSync } from 'node:fs';
import { defineConfig } from 'tsup';

/** How each package is built: ESM and types, from `src/index.ts` and, where there is one, `src/main.ts`. */
export default defineConfig({
  entry: ['src/index.ts', 'src/main.ts'].filter((file) => existsSync(file)),
  format: 'esm',
  dts: true,
  clean: true,
  silent: true,
  // `sqlite` without `node:` is somebody's package.
  removeNodeProtocol: false,
});
