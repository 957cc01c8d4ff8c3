import { readFileSync } from 'node:fs';
import { enableCompileCache, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/*
 * For `node --import`: makes packages import each other's sources instead of their builds, so that an edit of any of
 * them takes effect. Where the sources are is written down once, in the paths of `tsconfig.json`, which TypeScript
 * and Vitest use too. Forked processes inherit it.
 */

const ROOT = join(import.meta.dirname, '../../../..');
const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8'));
const sources = Object.entries<[string]>(compilerOptions.paths).map(([pattern, [file]]) => ({
  pattern: new RegExp(`^${pattern.replace('*', '([^/]+)')}$`),
  file: join(ROOT, file),
}));

// Caches the stripped TypeScript; without it each start takes half as long again.
enableCompileCache(join(ROOT, 'node_modules/.cache/cless'));

registerHooks({
  resolve(specifier, context, next) {
    for (const { pattern, file } of sources) {
      const match = pattern.exec(specifier);
      if (match === null) continue;
      return { url: pathToFileURL(file.replace('*', match[1] ?? '')).href, shortCircuit: true };
    }
    return next(specifier, context);
  },
});
