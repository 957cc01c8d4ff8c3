import http from 'node:http';
import type { Options } from 'tsup';

/*
 * Packages of which we import a small part: the built files load no more of them. Sources, and with them tests, import
 * as ever.
 */

interface Part {
  readonly names: readonly string[];
  /** Returns an object with these names. Modules that are not of a package's API may be gone in its next version. */
  readonly load: string;
}

const PARTS: Readonly<Record<string, Part>> = {
  // The rest (fetch, WebSocket, caches, mocks) takes 10 MiB and 30 ms.
  undici: {
    names: ['Client', 'errors'],
    load: `Object.assign(require('undici/lib/dispatcher/dispatcher.js').prototype, require('undici/lib/api/index.js'));
      return { Client: require('undici/lib/dispatcher/client.js'), errors: require('undici/lib/core/errors.js') };`,
  },
  // The rest (OpenTelemetry, clusters, a push gateway) takes 5 MiB and 20 ms.
  'prom-client': {
    names: ['Counter', 'Gauge', 'Histogram', 'Registry'],
    load: `return {
      Counter: require('prom-client/lib/counter.js'),
      Gauge: require('prom-client/lib/gauge.js'),
      Histogram: require('prom-client/lib/histogram.js'),
      Registry: require('prom-client/lib/registry.js'),
    };`,
  },
};

/** The names of these packages. */
export const IN_PARTS: readonly string[] = Object.keys(PARTS);

/** `import … from 'node:http'` evaluates all its exports, and with `WebSocket` Node's own undici: 12 MiB and 25 ms. */
function nodeHttp(): string {
  const names = Object.entries(Object.getOwnPropertyDescriptors(http))
    .filter(([name, { get }]) => get === undefined && !name.startsWith('_'))
    .map(([name]) => name);
  return `export const { ${names.join(', ')} } = process.getBuiltinModule('node:http');`;
}

/** Falls back on the whole package. */
function partOf(name: string): string {
  const { names = [], load = '' } = PARTS[name] ?? {};
  return `import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    function load() {
      try {
        ${load}
      } catch {
        return require('${name}');
      }
    }
    export const { ${names.join(', ')} } = load();`;
}

export const lean: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'lean',
  setup({ onResolve, onLoad }) {
    const wanted = new RegExp(`^(node:http|${IN_PARTS.join('|')})$`);
    onResolve({ filter: wanted }, ({ path }) => ({ path, namespace: 'lean' }));
    onLoad({ filter: /./, namespace: 'lean' }, ({ path }) => ({
      contents: path === 'node:http' ? nodeHttp() : partOf(path),
    }));
  },
};
