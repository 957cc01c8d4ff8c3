import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { branches, untested } from './untested.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Files whose logic is in what they do with others, and the tests that see them do it. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  // Routes are seen through the app: by what they answer.
  'packages/admin/src/http/route.ts': 'packages/admin/src/app.test.ts',
  'packages/admin/src/routes/instances.ts': 'packages/admin/src/app.test.ts',
  'packages/admin/src/routes/revisions.ts': 'packages/admin/src/app.test.ts',
  'packages/admin/src/routes/services.ts': 'packages/admin/src/app.test.ts',
  'packages/admin/src/schemas.ts': 'packages/admin/src/app.test.ts',
  // What puts the program together, through the program.
  'packages/proxy/src/compose/admin.ts': 'packages/proxy/test/workers.integration.test.ts',
  'packages/proxy/src/middleware/middleware.ts': 'packages/proxy/test/middleware.integration.test.ts',
  'packages/proxy/src/main.ts': 'packages/proxy/test/process.integration.test.ts',
  // Calls of the engine, with engines that are none, and with a real one.
  'packages/runtime-docker/src/container/containers.ts': 'packages/runtime-docker/src/runtime.engine.test.ts',
  'packages/runtime-docker/src/container/start.ts': 'packages/runtime-docker/src/runtime.engine.test.ts',
  'packages/runtime-docker/src/engine/images.ts': 'packages/runtime-docker/src/engine/engine.test.ts',
  'packages/runtime-docker/src/engine/pull.ts': 'packages/runtime-docker/src/engine/engine.test.ts',
  'packages/runtime-docker/src/engine/transport.ts': 'packages/runtime-docker/src/engine/engine.test.ts',
};

test('beside every file with logic stands its test', () => {
  expect(untested().filter((file) => !(file in ELSEWHERE))).toEqual([]);
});

test('what is tested elsewhere is still untested here, and tested there', () => {
  const files = untested();
  expect(Object.keys(ELSEWHERE).filter((file) => !files.includes(file))).toEqual([]);
  expect(Object.values(ELSEWHERE).filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

test('branches are what can go one way or another', () => {
  expect(branches('export const a = 1; export function f(): void { g(a); }')).toBe(0);
  expect(branches('if (a && b) c(); else d(e ?? f);')).toBe(3);
  expect(branches('for (const a of b) try { a(); } catch { c ? d : e; }')).toBe(3);
  expect(branches("switch (a) { case 'b': case 'c': break; default: d || e; }")).toBe(3);
});
