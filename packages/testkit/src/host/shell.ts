import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Finds a program on the PATH or where daemons usually are; undefined if it is not installed. */
export function find(program: string): string | undefined {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  return directories.map((directory) => join(directory, program)).find(isExecutable);
}

/** Runs a command and returns whether it succeeded, and its output. */
export function attempt(
  command: string,
  args: readonly string[],
  { timeoutMs = 60_000 } = {},
): { ok: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: timeoutMs });
  return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}` };
}

/**
 * Runs a long command under a title and shows how long it takes; prints its output only if it fails. @throws if it
 * fails
 */
export async function step(
  title: string,
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  const startedAt = performance.now();
  const live = process.stdout.isTTY === true;
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(0)} s`;
  let output = '';
  let last = '';
  if (!live) process.stdout.write(`${title} …\n`);
  const show = () =>
    process.stdout.write(`\r\x1b[K${title} … ${seconds()}  \x1b[2m${last.slice(0, 60)}\x1b[0m`);
  const timer = live ? setInterval(show, 200) : undefined;
  const child = spawn(command, args, {
    ...options,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      last = text.trim().split('\n').at(-1) ?? last;
    });
  }
  const code = await new Promise<number | null>((resolve) =>
    child.once('error', () => resolve(127)).once('close', resolve),
  );
  clearInterval(timer);
  if (live) process.stdout.write('\r\x1b[K');
  if (code !== 0) {
    process.stdout.write(output);
    throw new Error(`${title}: ${command} exited with code ${code}`);
  }
  process.stdout.write(`${title}: done in ${seconds()}\n`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
