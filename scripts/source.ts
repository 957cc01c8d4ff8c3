import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/*
 * Loaded with `node --import`: the packages resolve to their sources, not to what was built of them, so that an edit
 * of any of them is what runs. Processes that are forked inherit it.
 */

const PACKAGES = join(import.meta.dirname, '..', 'packages');

registerHooks({
  resolve(specifier, context, next) {
    const [, name] = /^@cless\/([a-z0-9-]+)$/.exec(specifier) ?? [];
    const source = name === undefined ? undefined : join(PACKAGES, name, 'src', 'index.ts');
    if (source === undefined || !existsSync(source)) return next(specifier, context);
    return { url: pathToFileURL(source).href, shortCircuit: true };
  },
});
