import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ProcessRuntime } from './runtime.ts';

test('what only containers have is refused, and what says nothing is not', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'cless-process-'));
  const runtime = new ProcessRuntime({ servicesFile: join(directory, 'none'), stateDirectory: directory });
  const silent = {
    user: undefined,
    networks: [],
    volumes: [],
    relaxations: [],
    memoryBytes: 1,
    env: { A: '1' },
  };
  expect(await runtime.refusals(silent)).toEqual([]);
  expect(await runtime.refusals({ ...silent, user: 'me', networks: ['db'] })).toEqual([
    { field: 'user', reason: 'user: the process runtime has no containers' },
    { field: 'networks', reason: 'networks: the process runtime has no containers' },
  ]);
  rmSync(directory, { recursive: true });
});
