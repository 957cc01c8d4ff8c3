import { readFileSync } from 'node:fs';
import { EXIT } from './problem.ts';
import { createProgram, run } from './program.ts';

// Who reads no further (`cless ls | head -1`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
process.exitCode = await run(createProgram(version), process.argv.slice(2));
// What was being read may be open still.
if (process.exitCode === EXIT.interrupted) process.exit();
