import { readFileSync } from 'node:fs';
import { enableCompileCache, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/*
 * Loaded with `node --import`: packages find each other's sources, not what was built of them, so that an edit of any
 * of them is what runs. Where the sources are is said once, by the paths of `tsconfig.json`, which TypeScript and
 * Vitest follow, too. Processes that are forked inherit it.
 */

const ROOT = join(import.meta.dirname, '../../../..');
const { compilerOptions } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8'));
const sources = Object.entries<[string]>(compilerOptions.paths).map(([pattern, [file]]) => ({
  pattern: new RegExp(`^${pattern.replace('*', '([^/]+)')}$`),
  file: join(ROOT, file),
}));

// What TypeScript is stripped to is kept, or each start would cost half as much again.
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
