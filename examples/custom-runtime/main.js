// The proxy with a runtime of one's own behind its interface.
import { waitUntilReady } from '@cless/health';
import { ConventionSource, Server, systemClock, UndiciForwarder } from '@cless/proxy';
import { Router } from '@cless/router';
import { pino } from 'pino';
import { InProcessRuntime } from './in-process-runtime.js';

const runtime = new InProcessRuntime({
  hello: (_, response) => response.end('hello from this very process\n'),
});

const { server, address } = await Server.start({
  runtime,
  clock: systemClock,
  probe: waitUntilReady,
  router: new Router(),
  source: new ConventionSource({
    runtime,
    imageSuffix: '',
    defaults: {
      readiness: { check: { kind: 'http' }, timeoutMs: 30_000 },
      idle: { pauseAfterMs: undefined, stopAfterMs: 60_000 },
      stopGraceMs: 10_000,
    },
  }),
  forwarder: new UndiciForwarder({ responseTimeoutMs: 300_000 }),
  log: pino({ level: 'warn' }),
  listen: { host: '127.0.0.1', port: 0 },
  maxPending: 1000,
  maxStarts: 4,
  maxInstances: undefined,
  drainTimeoutMs: 30_000,
});

console.log(`listening on ${address.port}`);
process.once('SIGTERM', async () => {
  await server.close({ keep: false });
  console.log(`${(await runtime.list()).length} left`);
});
