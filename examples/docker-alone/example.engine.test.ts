import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { noEngine } from '@cless/testkit';
import { expect, test } from 'vitest';

test.skipIf(noEngine !== undefined)('starts, pauses, resumes and removes a container', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'main.js')]);
  expect(stdout).toBe('Hello from Go! You asked for /\npaused\nrunning\ngone\n');
});
