import { existsSync, readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

// Vitest 5 does not look for this file name: every script passes `--config vitest.workspace.ts`.

const packages = readdirSync('packages')
  .filter((name) => existsSync(`packages/${name}/package.json`))
  .map((name) => ({ name, root: `packages/${name}`, folders: ['src', 'test'] }));
const places = [...packages, { name: 'repository', root: '.', folders: ['scripts', 'examples'] }];

/**
 * How long what is polled for may take, in milliseconds. It comes at once, but for machines that are busy: Vitest's own
 * second is not enough for them.
 */
const PATIENCE_MS = 10_000;

/** Some files of each package, as projects `NAME:KIND`. */
function projects(kind: string, names: readonly string[], test: object) {
  return places.map(({ name, root, folders }) => ({
    // Packages import each other's sources, by the paths of `tsconfig.json`, so that tests do not need a build.
    resolve: { tsconfigPaths: true },
    test: {
      ...test,
      name: `${name}:${kind}`,
      root,
      include: folders.flatMap((folder) => names.map((file) => `${folder}/**/${file}`)),
      exclude: ['**/node_modules/**', ...(kind === 'unit' ? ['**/*.{integration,engine}.test.ts'] : [])],
    },
  }));
}

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      // No real second, no engine; several files of a package in one process.
      ...projects('unit', ['*.test.ts'], {
        setupFiles: [`${import.meta.dirname}/packages/testkit/src/host/no-real-second.ts`],
        isolate: false,
        expect: { poll: { timeout: PATIENCE_MS } },
        testTimeout: 20_000,
        maxWorkers: 2,
        sequence: { groupOrder: 0 },
      }),
      // Sockets, processes and real time, and all random inputs, of which unit tests try some.
      ...projects('integration', ['*.{integration,model,fuzz}.test.ts'], {
        env: { FUZZ_ALL: 'true' },
        expect: { poll: { timeout: PATIENCE_MS } },
        testTimeout: 60_000,
        hookTimeout: 120_000,
        maxWorkers: 2,
        sequence: { groupOrder: 1 },
      }),
      // Those that need a Docker Engine, one at a time.
      ...projects('engine', ['*.engine.test.ts'], {
        expect: { poll: { timeout: PATIENCE_MS } },
        testTimeout: 180_000,
        hookTimeout: 180_000,
        maxWorkers: 1,
        sequence: { groupOrder: 2 },
      }),
    ],
  },
});
