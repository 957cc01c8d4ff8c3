import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';

/*
 * What imports what: read from the sources by TypeScript's own scanner, so that `import type`, `export … from` and
 * `import('…')` count as well.
 */

const ROOT = join(import.meta.dirname, '..', '..');

/** The modules of ours that each module imports, all by their path from the root: `packages/proxy/src/main.ts`. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/**
 * Reads what each package is made of: all that its `src/index.ts` and `src/main.ts` lead to. Tests, and what only they
 * import, are left out: they may reach for anything.
 */
export function readImports(root = ROOT): Imports {
  const imports = new Map<string, string[]>();
  const visit = (module: string): void => {
    if (imports.has(module)) return;
    const { importedFiles } = ts.preProcessFile(readFileSync(join(root, module), 'utf8'));
    const targets = importedFiles
      .map(({ fileName }) => resolve(module, fileName))
      .filter((target) => ts.sys.fileExists(join(root, target)));
    imports.set(module, [...new Set(targets)].sort());
    targets.forEach(visit);
  };
  ts.sys
    .readDirectory(join(root, 'packages'), ['.ts'], ['**/node_modules'], ['*/src/index.ts', '*/src/main.ts'])
    .map((file) => relative(root, file))
    .forEach(visit);
  return new Map([...imports].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function resolve(from: string, specifier: string): string {
  const [, name] = /^@cless\/([a-z0-9-]+)$/.exec(specifier) ?? [];
  return name === undefined ? join(dirname(from), specifier) : `packages/${name}/src/index.ts`;
}

/** The package of a module: `packages/proxy/src/edge/http1.ts` is of `proxy`. */
export function packageOf(module: string): string {
  return module.split('/')[1] ?? module;
}

/** Where a module stands in its package: its folder (`edge`), or the file itself if it is in none. */
export function roomOf(module: string): string {
  return module.split('/')[3] ?? module;
}
