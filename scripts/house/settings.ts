import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingsTable } from '../../packages/proxy/src/settings/help.ts';
import { replace } from './picture.ts';

/*
 * The table of settings in the README of the proxy, generated from the settings. `npm run picture` updates it.
 */

export const PAGE = join(import.meta.dirname, '..', '..', 'packages', 'proxy', 'README.md');

/** The page with the settings as they are now. */
export function withSettings(page: string): string {
  return replace(page, 'settings', settingsTable());
}

if (import.meta.main) writeFileSync(PAGE, withSettings(readFileSync(PAGE, 'utf8')));
