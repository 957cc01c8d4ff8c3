import { existsSync, readFileSync } from 'node:fs';
import { attempt } from '@cless/testkit/host';
import { publishedPackages } from './packages.ts';

/*
 * Are the published packages what npm, Node and TypeScript expect? publint and are-the-types-wrong look at what
 * `npm pack` would ship.
 */

let failed = false;
for (const { directory, name } of publishedPackages()) {
  const complain = (what: string) => {
    failed = true;
    console.log(`${name}: ${what}`);
  };
  for (const file of ['README.md', 'LICENSE'])
    if (!existsSync(`${directory}/${file}`)) complain(`${file} is missing`);
  const manifest = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'));
  for (const field of ['description', 'license', 'repository', 'exports', 'files', 'engines']) {
    if (manifest[field] === undefined) complain(`package.json has no ${field}`);
  }
  const publint = attempt('publint', [directory, '--strict', '--pack', 'npm']);
  if (!publint.ok) complain(publint.output);
  const types = attempt('attw', ['--pack', directory, '--profile', 'esm-only']);
  if (!types.ok) complain(types.output);
}
process.exit(failed ? 1 : 0);
