import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildSamples,
  buildTestImage,
  type EngineState,
  ensureEngine,
  find,
  install,
  sampleNames,
} from '@cless/testkit/host';

/*
 * `npm test`: everything. Types, lint and packaging, and all tests against a real engine, which is started and stopped
 * here if none runs. Arguments are the projects of Vitest to run instead, without the checks, and after `--` what the
 * paths of their files have in them. With `TEST_WORKERS`, the proxies of the tests have so many workers.
 */

const EVERYTHING = ['*:unit', '*:integration', '*:engine'];
/** It has an engine of its own: its place is not with those that share one. */
const CHAOS = 'chaos:engine';

/** The exit code of a command in the foreground. */
function run(command: string, args: readonly string[]): Promise<number> {
  return ended(spawn(command, args, { stdio: 'inherit' }));
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) =>
    child.once('error', () => resolve(127)).once('close', (code) => resolve(code ?? 1)),
  );
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));

async function main(): Promise<number> {
  const [given, filters] = splitAt('--', process.argv.slice(2));
  const checked = given.length > 0 ? Promise.resolve(0) : run('npm', ['run', '--silent', 'check']);
  const engine = await ensureEngine();
  const directory = mkdtempSync(join(tmpdir(), 'cless-test-'));
  try {
    if (!engine.available) {
      console.log(`no Docker Engine: ${engine.reason}`);
      if (process.env.CI === 'true') return 1;
      console.log('the tests that need one are skipped');
    }
    await prepare(engine);
    if ((await checked) !== 0) return 1;
    return await test(given.length > 0 ? given : EVERYTHING, { filters, engine, directory });
  } finally {
    rmSync(directory, { recursive: true });
    if (engine.available) await engine.stop();
  }
}

/** Prepares the machine for the tests. */
async function prepare(engine: EngineState): Promise<void> {
  const asRoot = process.getuid?.() === 0;
  // The shells that the CLI has completions for.
  const shells = ['zsh', 'fish'].filter((shell) => find(shell) === undefined);
  if (shells.length > 0 && asRoot)
    await install(shells).catch(() => console.log('the tests that need them are skipped'));
  if (!engine.available) return;
  const programs: readonly (readonly [program: string, debianPackage: string])[] = [
    ['ip', 'iproute2'], // for the engine of the tests' own, in a network namespace
    ['nginx', 'nginx-light'], // to compare with what nginx refuses
    ['faketime', 'faketime'], // changes the clock of a process
  ];
  const missing = programs.filter(([program]) => find(program) === undefined).map(([, name]) => name);
  if (missing.length > 0 && asRoot) await install(missing);
  await buildTestImage();
  await buildSamples(sampleNames(), { onlyMissing: true });
}

function splitAt(word: string, words: readonly string[]): [before: string[], after: string[]] {
  const at = words.indexOf(word);
  return at < 0 ? [[...words], []] : [words.slice(0, at), words.slice(at + 1)];
}

interface Setting {
  readonly filters: readonly string[];
  readonly engine: EngineState;
  readonly directory: string;
}

/** Tests on the engine mostly wait for it: the others run beside them, and what they have to say comes first. */
async function test(projects: readonly string[], { filters, engine, directory }: Setting): Promise<number> {
  const onEngine = projects.filter((project) => project.endsWith(':engine') && project !== CHAOS);
  const others = projects.filter((project) => !onEngine.includes(project));
  if (onEngine.includes('*:engine')) {
    onEngine.push(`!${CHAOS}`);
    others.push(CHAOS);
  }
  const sides = [others, onEngine]
    .filter((side) => side.length > 0)
    .map((side, i) => ({ side, results: join(directory, `${i}.json`) }));
  const env = { ...process.env, ...(!engine.available && { TEST_NO_ENGINE: engine.reason }) };
  const running = sides.map(({ side, results }, i) => {
    const child = spawn(
      'vitest',
      [
        'run',
        '--config=vitest.workspace.ts',
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${results}`,
        ...side.map((project) => `--project=${project}`),
        ...filters,
      ],
      { stdio: i === 0 ? 'inherit' : ['ignore', 'pipe', 'pipe'], env },
    );
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => said.push(bytes));
    return { code: ended(child), said };
  });
  const codes: number[] = [];
  for (const { code, said } of running) {
    codes.push(await code);
    process.stdout.write(Buffer.concat(said));
  }
  const counts = sides.map(({ results }) => JSON.parse(readFileSync(results, 'utf8')));
  const sum = (field: string) => counts.reduce((total, count) => total + count[field], 0);
  console.log(
    `tests: ${sum('numPassedTests')} passed, ${sum('numFailedTests')} failed, ${sum('numPendingTests')} skipped`,
  );
  return Math.max(...codes);
}

process.exit(await main());
