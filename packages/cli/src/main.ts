import { readFileSync } from 'node:fs';
import { EXIT } from '@cless/model';
import { createProgram, run } from './program.ts';

// A reader that stops early (`cless ls | head -1`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
process.exitCode = await run(createProgram(version), process.argv.slice(2));
// A request may still be open and keep the process alive.
if (process.exitCode === EXIT.interrupted) process.exit();
