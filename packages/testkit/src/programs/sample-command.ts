import { fileURLToPath } from 'node:url';

/** The command that runs the sample upstream as a child process. */
export const SAMPLE_COMMAND: readonly string[] = [
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  fileURLToPath(new URL('./sample-upstream.ts', import.meta.url)),
];
