import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { engineRuns, imageExists, sampleNames } from '@cless/testkit/host';
import { freePort } from './ports.ts';
import { processSample } from './process-sample.ts';

/*
 * `npm run dev`: the proxy from its sources, started again after each edit of any package. What is set in the
 * environment is left as it is.
 */

const ROOT = join(import.meta.dirname, '..');
const HOST = '127.0.0.1';

const directory = process.env.CLESS_STATE_DIR ?? join(ROOT, '.dev');
mkdirSync(directory, { recursive: true });

const withEngine = (process.env.CLESS_RUNTIME ?? 'docker') === 'docker' && engineRuns();
const settings = {
  CLESS_LISTEN: `${HOST}:${await freePort(8080, HOST)}`,
  CLESS_ADMIN_LISTEN: `${HOST}:${await freePort(7070, HOST)}`,
  CLESS_STATE_DIR: directory,
  // An edit should not wait for what the last version has open.
  CLESS_DRAIN_TIMEOUT: '1s',
  CLESS_STOP_GRACE: '1s',
  ...(!withEngine && processSample(directory)),
  ...process.env,
};

const services = withEngine ? sampleNames().filter((name) => imageExists(`${name}-docker`)) : ['nodejs'];
if (!withEngine) console.log('the Node.js sample runs as a child process (no Docker Engine, or not wanted)');
if (services.length === 0) console.log('no sample images here: npm run images');
const port = settings.CLESS_LISTEN.split(':').at(-1);
for (const service of services)
  console.log(`curl -H 'Host: ${service}.cless.cloud' http://localhost:${port}/`);
console.log(`CLESS_STATE_DIR=${relative(process.cwd(), directory) || '.'} npx cless ls\n`);

const proxy = spawn(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    '--watch',
    '--watch-preserve-output',
    `--import=${import.meta.resolve('@cless/testkit/source')}`,
    join(ROOT, 'packages/proxy/src/main.ts'),
    ...process.argv.slice(2),
  ],
  // Detached, so that Ctrl-C reaches it once, through us.
  { stdio: 'inherit', env: settings, detached: true },
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => proxy.kill(signal));
proxy.once('exit', (code) => process.exit(code ?? 1));
