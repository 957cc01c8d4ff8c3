import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, others, WARM } from '../fault.ts';
import type { Installation } from '../installation.ts';
import type { Excuse } from '../ledger.ts';
import { LEDGER, PLAIN, SLEEPY, STREAM } from '../services.ts';

const OWN_NETWORK = 'cless-chaos';

/** A POST that the dead instance may have executed is not retried. */
const POSTS: Excuse = { services: [LEDGER], kinds: ['POST'], by: [502] };
/** Streams and sockets end with their instance. */
const LONG: Excuse = { services: [STREAM], kinds: ['stream', 'socket'], by: ['cut'] };

/** A docker command on a service's container. */
function by(command: readonly string[], service: string) {
  return async (installation: Installation) =>
    installation.engine.docker(...command, await installation.containerOf(service));
}

/** What somebody may do to a container by hand. Requests without a body must still be answered. */
export const containerFaults: readonly Fault[] = [
  {
    name: 'docker kill',
    inject: by(['kill'], PLAIN),
    keeps: others(PLAIN),
    logs: [/plain .*137/],
  },
  {
    name: 'docker kill of one that executes',
    inject: by(['kill'], LEDGER),
    excuses: [POSTS],
    keeps: others(LEDGER),
    logs: [/ledger .*137/],
  },
  {
    name: 'docker kill under streams',
    inject: by(['kill'], STREAM),
    excuses: [LONG],
    keeps: others(STREAM),
    logs: [/stream .*137/],
  },
  {
    name: 'docker rm -f',
    inject: by(['rm', '-f'], PLAIN),
    keeps: others(PLAIN),
    logs: [/plain (stopped|exited)/],
  },
  {
    name: 'docker stop of one that executes',
    inject: by(['stop', '-t', '1'], LEDGER),
    excuses: [POSTS],
    keeps: others(LEDGER),
    logs: [/ledger (stopped|exited)/],
  },
  {
    name: 'docker restart',
    // It may be removed before it is started again.
    inject: (installation) => by(['restart', '-t', '0'], PLAIN)(installation).catch(() => {}),
    keeps: others(PLAIN),
    logs: [/plain (stopped|exited)/],
  },
  {
    name: 'docker pause under streams',
    inject: by(['pause'], STREAM),
    keeps: WARM,
    logs: [/stream paused by hand/],
  },
  {
    name: 'docker unpause',
    inject: unpauseSleepy,
    keeps: WARM,
  },
  {
    name: 'docker network disconnect',
    inject: by(['network', 'disconnect', '-f', OWN_NETWORK], PLAIN),
    keeps: others(PLAIN),
  },
  {
    name: 'docker update',
    inject: by(['update', '--cpus', '0.8', '--memory', '400m', '--memory-swap', '800m'], PLAIN),
    keeps: WARM,
  },
];

/** Waits until it has been paused as idle, then unpauses it. */
async function unpauseSleepy(installation: Installation): Promise<void> {
  for (let i = 0; i < 500; i++) {
    const paused = (await installation.containers()).find(
      ({ service, state }) => service === SLEEPY && state === 'paused',
    );
    // It may have been woken or stopped just before.
    if (paused !== undefined)
      return void (await installation.engine.docker('unpause', paused.id).catch(() => {}));
    await sleep(10);
  }
  throw new Error('it never paused');
}
