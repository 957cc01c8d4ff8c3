import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SAMPLE = join(import.meta.dirname, '..', 'images/nodejs/server.mjs');

/** The settings of a proxy that runs the Node.js sample as a child process, for a machine without an engine. */
export function processSample(directory: string): Record<string, string> {
  const services = join(directory, 'services.json');
  writeFileSync(services, JSON.stringify({ nodejs: { command: [process.execPath, SAMPLE] } }));
  return { CLESS_RUNTIME: 'process', CLESS_PROCESS_SERVICES: services };
}
