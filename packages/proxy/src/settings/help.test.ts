import { expect, test } from 'vitest';
import { settingsHelp, settingsTable } from './help.ts';
import { SETTINGS } from './table.ts';

test('help names them all, with what is plain text of their defaults', () => {
  const help = settingsHelp();
  for (const key of Object.keys(SETTINGS)) expect(help).toContain(`  --${key} `);
  expect(help).toMatch(/--pause-after +CLESS_PAUSE_AFTER +idle → paused; never \(default: 60s\)/);
  expect(help).toMatch(/--max-starts +CLESS_MAX_STARTS +starts at once \(default: 2 × cores\)/);
  expect(help).toMatch(/--process-services .*names to commands$/m); // no default
});

test('the table has a line for each, all as wide', () => {
  const lines = settingsTable().split('\n');
  expect(lines).toHaveLength(2 + Object.keys(SETTINGS).length);
  expect(new Set(lines.map(({ length }) => length)).size).toBe(1);
  expect(lines[0]).toMatch(/^\| environment +\| default +\| +\|$/);
  expect(lines).toContainEqual(expect.stringMatching(/^\| `CLESS_ON_EXIT` +\| `stop` +\| `keep`: leave/));
});
