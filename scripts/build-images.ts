import { buildSamples, sampleNames } from '@cless/testkit/host';

/*
 * Builds images: `npm run images` all samples, `npm run images -- golang rust` those named.
 */

const named = process.argv.slice(2);
const known = sampleNames();
const unknown = named.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no such image: ${unknown.join(', ')}; allowed are ${known.join(', ')}`);
  process.exit(2);
}
await buildSamples(named.length > 0 ? named : known);
