import { existsSync } from 'node:fs';
import http from 'node:http';
import { defineConfig, type Options } from 'tsup';

/** The shared package is inlined into each, so that none needs another at run time. */
const SHARED = '@cless/model';

/**
 * `import … from 'node:http'` evaluates everything that the module exports, and with `WebSocket` the whole of Node's own
 * copy of undici: 12 MiB and 25 ms, for nothing. So the built files take what they need another way.
 */
const nodeHttp: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'node-http',
  setup({ onResolve, onLoad }) {
    const isEager = ([, property]: [string, PropertyDescriptor]) => property.get === undefined;
    const names = Object.entries(Object.getOwnPropertyDescriptors(http)).filter(isEager);
    const contents = `export const { ${names.map(([name]) => name).join(', ')} } = process.getBuiltinModule('node:http');`;
    onResolve({ filter: /^node:http$/ }, ({ path }) => ({ path, namespace: 'node-http' }));
    onLoad({ filter: /.*/, namespace: 'node-http' }, () => ({ contents }));
  },
};

/** How each package is built: ESM and types, from `src/index.ts` and, where there is one, `src/main.ts`. */
export default defineConfig({
  entry: ['src/index.ts', 'src/main.ts'].filter((file) => existsSync(file)),
  format: 'esm',
  // Not `tsconfig.json`, by whose paths packages find each other's sources.
  tsconfig: '../../tsconfig.base.json',
  // Its own imports have to be listed too: seen through a link in node_modules they look like an external package.
  dts: { resolve: [SHARED, /^\.\.?\/.*\.ts$/] },
  noExternal: [SHARED],
  esbuildPlugins: [nodeHttp],
  clean: true,
  silent: true,
  // `sqlite` without `node:` is another package.
  removeNodeProtocol: false,
});
