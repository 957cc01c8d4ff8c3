import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/*
 * A revision's options are described once, so a new one is an edit of one file, and what tools generate from it.
 */

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const copy = mkdtempSync(join(tmpdir(), 'cless-new-option-'));

/** The only file that has to be edited. */
const DESCRIPTION = 'packages/model/src/revision/options.ts';
const NEW_OPTION = `
  /** How many instances there may be at once. */
  maxScale: {
    kind: 'whole',
    min: 1,
    max: 100,
    label: true,
    goesTo: 'revision',
    takes: 'number',
    help: 'how many instances there may be at once',
  },
} as const satisfies`;

/** Compiles if the types have it. */
const TYPED_USE = `
import type { Revision, RevisionInput, RevisionSpec } from './index.ts';
export const written = (input: RevisionInput): number | undefined => input.maxScale;
export const stored = (spec: RevisionSpec): number | undefined => spec.maxScale;
export const running = (revision: Revision): number | undefined => revision.maxScale;
`;

beforeAll(() => {
  for (const name of readdirSync(ROOT)) {
    if (/^(?:package|tsconfig(?:\.base)?)\.json$|^vitest\.workspace\.ts$/.test(name))
      cpSync(join(ROOT, name), join(copy, name));
  }
  for (const folder of ['packages', 'docs'])
    cpSync(join(ROOT, folder), join(copy, folder), {
      recursive: true,
      filter: (path) => !['node_modules', 'dist'].includes(basename(path)),
    });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  symlinkSync(join(ROOT, 'packages/cli/node_modules'), join(copy, 'packages/cli/node_modules'));

  const options = join(copy, DESCRIPTION);
  const before = readFileSync(options, 'utf8');
  writeFileSync(options, before.replace('} as const satisfies', NEW_OPTION.trimStart()));
  expect(readFileSync(options, 'utf8')).not.toBe(before);
});

afterAll(() => rmSync(copy, { recursive: true }));

test('a new option is one edit and two files that are written anew; everything else has it then', async () => {
  const node = (program: string, ...given: string[]) =>
    run(process.execPath, [join(ROOT, 'node_modules', program), ...given], { cwd: copy });
  const vitest = (...given: string[]) =>
    node('vitest/vitest.mjs', 'run', '--config', 'vitest.workspace.ts', ...given);

  // As the failing tests say.
  await vitest('-u', '--project', 'model:unit', '--project', 'cli:unit', 'options-page', 'service-file');
  expect(edited().sort()).toEqual(['docs/options.md', 'packages/cli/cless.schema.json', DESCRIPTION]);
  expect(readFileSync(join(copy, 'docs/options.md'), 'utf8')).toContain(
    '| `maxScale` | `--max-scale <number>` | `cless.max-scale` | how many instances there may be at once |',
  );
  const schema = JSON.parse(readFileSync(join(copy, 'packages/cli/cless.schema.json'), 'utf8'));
  expect(schema.properties.services.additionalProperties.properties).toHaveProperty('maxScale');

  mkdirSync(join(copy, 'scripts/house'), { recursive: true });
  cpSync(join(import.meta.dirname, 'new-option.probe.ts'), join(copy, 'scripts/house/new-option.test.ts'));
  writeFileSync(join(copy, 'packages/model/src/typed-use.ts'), TYPED_USE);
  writeFileSync(
    join(copy, 'tsconfig.part.json'),
    JSON.stringify({
      extends: './tsconfig.json',
      include: ['model', 'store', 'admin', 'cli'].map((name) => `packages/${name}/src`),
      exclude: ['**/*.test.ts'],
    }),
  );
  const [help] = await Promise.all([
    run(
      process.execPath,
      ['--import=./packages/testkit/src/host/source.ts', 'packages/cli/src/main.ts', 'deploy', '--help'],
      { cwd: copy },
    ),
    vitest('--project', 'repository:unit', 'new-option'),
    node('typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.part.json'),
  ]);
  expect(help.stdout).toMatch(/^ {2}--max-scale <number> +how many instances there may be/m);
});

/** The files of the copy that are not as they are here. */
function edited(): string[] {
  return readdirSync(copy, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(copy, join(entry.parentPath, entry.name)))
    .filter((file) => !readFileSync(join(copy, file)).equals(readFileSync(join(ROOT, file))));
}
