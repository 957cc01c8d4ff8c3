import { existsSync, readdirSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

// Vitest 5 does not look for this name by itself: every script passes `--config vitest.workspace.ts`.
const packages = readdirSync('packages').filter((name) => existsSync(`packages/${name}/package.json`));

// Packages find each other's sources, by the paths of `tsconfig.json`: what is tested is what has been written, not built.
const resolve = { tsconfigPaths: true };

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      ...packages.map((name) => ({
        resolve,
        test: {
          name: `${name}:unit`,
          root: `packages/${name}`,
          include: ['src/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts'],
          // Two at a time; what follows has the machine to itself.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      })),
      ...packages.map((name) => ({
        resolve,
        test: {
          name: `${name}:integration`,
          root: `packages/${name}`,
          include: ['src/**/*.integration.test.ts', 'test/**/*.integration.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      })),
      {
        resolve,
        test: {
          name: 'repository:unit',
          root: '.',
          include: ['scripts/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        resolve,
        test: {
          name: 'repository:integration',
          root: '.',
          include: ['scripts/**/*.integration.test.ts', 'examples/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
