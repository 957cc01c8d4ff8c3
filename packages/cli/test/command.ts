import { fileURLToPath } from 'node:url';

/** Node's arguments to run the CLI from its sources, as `bin/cless.js` runs the built one. */
export const CLESS: readonly string[] = [
  `--import=${import.meta.resolve('@cless/testkit/source')}`,
  '--',
  fileURLToPath(new URL('../src/main.ts', import.meta.url)),
];
