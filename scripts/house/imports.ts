import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import ts from 'typescript';

/*
 * What imports what: read from the sources by TypeScript's own scanner, so that `import type`, `export … from` and
 * `import('…')` count as well.
 */

const ROOT = join(import.meta.dirname, '..', '..');

/** The modules of ours that each module imports, all by their path from the root: `packages/proxy/src/main.ts`. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Reads `src` of every package. Tests and their fakes are left out: they may reach for anything. */
export function readImports(root = ROOT): Imports {
  const files = ts.sys
    .readDirectory(join(root, 'packages'), ['.ts'], ['**/node_modules', '**/*.test.ts'], ['*/src/**/*'])
    .map((file) => relative(root, file))
    .filter((file) => packageOf(file) === 'testkit' || !basename(file).startsWith('fake-'))
    .sort();
  const known = new Set(files);
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'));
      const targets = importedFiles.map(({ fileName }) => resolve(file, fileName));
      return [file, [...new Set(targets.filter((target) => known.has(target)))].sort()];
    }),
  );
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
