import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSamples, buildTestImage, ensureEngine, find, install, sampleNames } from '@cless/testkit/host';

/*
 * `npm test`: everything. Types, lint and packaging first, then all tests against a real engine, which is started
 * and stopped here if none runs. With `TEST_WORKERS`, the proxies of the tests have so many workers.
 */

/** Runs a command in the foreground; gives back its exit code. */
function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env } });
  return new Promise((resolve) =>
    child.once('error', () => resolve(127)).once('exit', (code) => resolve(code ?? 1)),
  );
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

async function main(): Promise<number> {
  if ((await run('npm', ['run', '--silent', 'check'])) !== 0) return 1;

  const engine = await ensureEngine();
  if (!engine.available) {
    console.log(`no Docker Engine: ${engine.reason}`);
    if (process.env.CI === 'true') return 1;
    console.log('the tests that need one are skipped');
  }
  const directory = mkdtempSync(join(tmpdir(), 'cless-test-'));
  try {
    // For which the CLI has completions.
    const shells = ['zsh', 'fish'].filter((shell) => find(shell) === undefined);
    if (shells.length > 0 && process.getuid?.() === 0)
      await install(shells).catch(() => console.log('the tests that need them are skipped'));
    if (engine.available) {
      // For the engine of the tests' own, in a network namespace.
      if (find('ip') === undefined && process.getuid?.() === 0) await install(['iproute2']);
      // The yardstick of what is refused.
      if (find('nginx') === undefined && process.getuid?.() === 0) await install(['nginx-light']);
      // What puts the clock of a process.
      if (find('faketime') === undefined && process.getuid?.() === 0) await install(['faketime']);
      await buildTestImage();
      await buildSamples(sampleNames(), { onlyMissing: true });
    }
    const results = join(directory, 'results.json');
    const code = await run(
      'vitest',
      [
        'run',
        '--config',
        'vitest.workspace.ts',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${results}`,
        ...process.argv.slice(2),
      ],
      engine.available ? {} : { TEST_NO_ENGINE: engine.reason },
    );
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(results, 'utf8'));
    console.log(`tests: ${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`);
    return code;
  } finally {
    rmSync(directory, { recursive: true });
    if (engine.available) await engine.stop();
  }
}

process.exit(await main());
