import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AdminServer } from '@cless/admin';
import { MemoryStore, type RevisionSpec } from '@cless/store';
import { FakePlatform, sampleRevision, sampleService } from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLESS } from './command.ts';

/*
 * Completion in the shells themselves, if they are installed.
 */

const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'cless-completion-'));
let admin: AdminServer;

beforeAll(async () => {
  const store = new MemoryStore();
  const platform = new FakePlatform();
  for (const name of ['web', 'shop']) store.put(sampleService(name, { hosts: [`${name}.example`] }));
  const spec: RevisionSpec = sampleRevision();
  for (const phase of ['ready', 'ready', 'failed'] as const) {
    const { name } = store.addRevision('web', spec);
    store.settle('web', name, phase === 'ready' ? { phase } : { phase, reason: 'no', lastLogLines: [] });
  }
  platform.running.set('abcdef0123456789', {
    id: 'abcdef0123456789',
    service: 'web',
    revision: 'web-00001',
    state: 'ready',
    requests: 0,
    idleMs: 0,
    lines: [],
  });
  admin = await AdminServer.start({
    store,
    platform,
    token: 'a-token-for-tests',
    openMetrics: false,
    listen: { host: '127.0.0.1', port: 0 },
  });
  writeFileSync(join(directory, 'admin-token'), 'a-token-for-tests\n');
  writeFileSync(join(directory, 'admin-url'), `http://127.0.0.1:${admin.address.port}\n`);
  writeFileSync(join(directory, 'cless.yaml'), '');
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(
      join(directory, `completion.${shell}`),
      execFileSync(process.execPath, [...CLESS, 'completion', shell]),
    );
  // The program as the shells find it.
  writeFileSync(
    join(directory, 'cless'),
    `#!/bin/sh\nexec '${process.execPath}' ${CLESS.map((word) => `'${word}'`).join(' ')} "$@"\n`,
    {
      mode: 0o755,
    },
  );
});

afterAll(async () => {
  await admin.close();
  rmSync(directory, { recursive: true });
});

/** Makes each shell complete the last word of a line. */
const SHELLS: Readonly<Record<string, (words: readonly string[]) => readonly string[]>> = {
  bash: (words) => [
    '-c',
    // As Bash cuts a line into words.
    `source completion.bash; compopt() { [[ $2 == default ]] && echo FILES; }
     COMP_WORDS=(cless ${words
       .flatMap((word) => word.split(/(=)/))
       .map((word) => `'${word}'`)
       .join(' ')})
     COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _cless
     (( \${#COMPREPLY[@]} )) && printf '%s\\n' "\${COMPREPLY[@]}"; true`,
  ],
  zsh: (words) => [
    '-fc',
    `compdef() {}; _files() { echo FILES }
     compadd() { shift \${@[(i)--]}; print -rl -- "$@" }
     source ./completion.zsh
     words=(cless ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=$#words; _cless || true`,
  ],
  fish: (words) => ['--no-config', '-c', `source completion.fish; complete -C 'cless ${words.join(' ')}'`],
};

function isThere(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.each(Object.entries(SHELLS))('%s', (shell, command) => {
  const complete = async (...words: string[]): Promise<string[]> => {
    const { stdout } = await run(shell, [...command(words)], {
      cwd: directory,
      env: {
        PATH: `${directory}:${process.env.PATH}`,
        HOME: directory,
        CLESS_STATE_DIR: directory,
      },
    });
    // Fish appends a tab and a description to each word.
    return stdout
      .split('\n')
      .map((line) => line.replace(/\t.*/, ''))
      .filter((line) => line !== '');
  };

  test.skipIf(!isThere(shell)).each([
    [['ro'], ['rollback']],
    [['help', 'rol'], ['rollback']],
    [
      ['deploy', '--ready'],
      ['--ready-path', '--ready-status', '--ready-tcp', '--ready-timeout'],
    ],
    [
      ['deploy', '--hardening', ''],
      ['baseline', 'off', 'restricted'],
    ],
    [['deploy', '--hardening', 're'], ['restricted']],
    [['deploy', '--relax', 'root'], ['root-user']],
    [['deploy', '--image', ''], []],
    [['deploy', '--host', ''], []],
    [
      ['show', ''],
      ['shop', 'web'],
    ],
    [['show', 'w'], ['web']],
    [['show', 'web', ''], []],
    [['show', '--json', 'w'], ['web']],
    [['stop', ''], ['abcdef012345']],
    [
      ['traffic', 'web', ''],
      ['web-00001=', 'web-00002='],
    ],
    [['traffic', 'web', 'web-00002=50', 'web-00001'], ['web-00001=']],
    [['traffic', 'web', 'web-00002=5'], []],
    [
      ['rollback', 'web', ''],
      ['web-00001', 'web-00002'],
    ],
    [
      ['rm', 'web', ''],
      ['web-00001', 'web-00002', 'web-00003'],
    ],
    [['rm', 'none', ''], []],
    [['completion', 'z'], ['zsh']],
    [['ls', ''], []],
  ])('%j', async (words, expected) => {
    expect((await complete(...words)).sort()).toEqual(expected);
  });

  test.skipIf(!isThere(shell))('files where files are wanted', async () => {
    for (const words of [
      ['apply', '-f', 'cl'],
      ['apply', '--file', 'cl'],
      ['deploy', '--env-file', 'cl'],
    ]) {
      const found = await complete(...words);
      expect(found).toContain(shell === 'fish' ? 'cless.yaml' : 'FILES');
    }
  });
});
