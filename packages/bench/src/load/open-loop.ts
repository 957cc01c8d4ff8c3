import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LOAD_CORE } from '../bed/cores.ts';
import type { Punctuality } from './timetable.ts';

const run = promisify(execFile);
const GENERATOR = join(import.meta.dirname, 'generator.ts');

/** Sends a port so many requests a second, whatever its answers do. */
export async function openLoop(port: number, perSecond: number, seconds: number): Promise<Punctuality> {
  const { stdout } = await run('taskset', [
    ...['-c', LOAD_CORE, process.execPath, '--max-semi-space-size=16', GENERATOR],
    ...[port, perSecond, seconds].map(String),
  ]);
  return JSON.parse(stdout);
}
