import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSamples, ensureEngine, sampleNames } from '@cless/testkit/host';
import { canListen } from './ports.ts';
import { processSample } from './process-sample.ts';

/*
 * `npm run demo`: the proxy with the sample services, with an engine or without.
 */

const ROOT = join(import.meta.dirname, '..');

let proxy: ChildProcess | undefined;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => (proxy === undefined ? process.exit(130) : proxy.kill(signal)));
}

async function main(): Promise<number> {
  const engine =
    process.env.DEMO_WITHOUT_ENGINE === undefined
      ? await ensureEngine()
      : ({ available: false, reason: 'DEMO_WITHOUT_ENGINE is set' } as const);
  const directory = mkdtempSync(join(tmpdir(), 'cless-demo-'));
  try {
    let services: readonly string[];
    const settings: Record<string, string> = {};
    if (engine.available) {
      services = sampleNames();
      await buildSamples(services, { onlyMissing: true });
    } else {
      console.log(`no Docker Engine: ${engine.reason}`);
      console.log('the demo runs the Node.js sample as a child process instead (CLESS_RUNTIME=process)');
      services = ['nodejs'];
      Object.assign(settings, processSample(directory));
    }

    const port = (await canListen(80, '0.0.0.0')) ? 80 : 8080;
    settings.CLESS_LISTEN = process.env.CLESS_LISTEN ?? `0.0.0.0:${port}`;
    settings.CLESS_STATE_DIR = process.env.CLESS_STATE_DIR ?? join(directory, 'state');
    const shownPort = settings.CLESS_LISTEN.split(':').at(-1);
    const origin = `http://localhost${shownPort === '80' ? '' : `:${shownPort}`}/`;
    console.log('\ntry:');
    for (const service of services) console.log(`  curl -H 'Host: ${service}.cless.cloud' ${origin}`);
    console.log(
      `\nand in this folder, for what the convention cannot say:\n  CLESS_STATE_DIR=${settings.CLESS_STATE_DIR} npx cless ls`,
    );
    console.log('\nCtrl-C ends it\n');

    proxy = spawn('npm', ['--silent', '-w', '@cless/proxy', 'start'], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, ...settings },
      detached: true, // so that a signal reaches it once, through us
    });
    const [code] = await once(proxy, 'exit');
    return code ?? 1;
  } finally {
    rmSync(directory, { recursive: true, force: true });
    if (engine.available) await engine.stop();
  }
}

process.exit(await main());
