import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = join(dirname(fileURLToPath(import.meta.url)), '..', 'packages');

export interface PublishedPackage {
  readonly name: string;
  readonly directory: string;
  /** The `@cless` packages it needs at run time. */
  readonly needs: readonly string[];
}

/** The published packages: all that are not private. */
export function publishedPackages(): PublishedPackage[] {
  return readdirSync(PACKAGES).flatMap((folder) => {
    const directory = join(PACKAGES, folder);
    const {
      name,
      private: isPrivate,
      dependencies = {},
    } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    return isPrivate
      ? []
      : [{ name, directory, needs: Object.keys(dependencies).filter((one) => one.startsWith('@cless/')) }];
  });
}
