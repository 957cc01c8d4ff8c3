import { fileURLToPath } from 'node:url';

/** What Node is given to run the CLI from its sources, as `bin/cless.js` runs what was built of them. */
export const CLESS: readonly string[] = [
  `--import=${import.meta.resolve('@cless/testkit/source')}`,
  '--',
  fileURLToPath(new URL('../src/main.ts', import.meta.url)),
];
