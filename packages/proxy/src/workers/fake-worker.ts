import type { Lease } from '@cless/activator';
import type { Clock } from '@cless/model';
import { FakePort } from '@cless/testkit';
import { Channel, type Message } from './channel.ts';
import type { WorkerProcess } from './link.ts';
import { type PrimaryMethods, toSentUse, type WorkerMethods } from './protocol.ts';
import { RemoteActivator } from './remote-activator.ts';
import { RemoteSource } from './remote-source.ts';

/** For tests: a worker without its own process and without an edge. */
export class FakeWorker {
  /** The worker as the primary sees it. */
  readonly process: WorkerProcess;
  readonly activator: RemoteActivator;
  readonly source: RemoteSource;
  /** The leases that the test holds. */
  readonly leases = new Set<Lease>();
  /** How many messages it has sent. */
  sent = 0;
  /** Is it alive but not answering? */
  stuck = false;
  /** How many changes it still fails to apply. */
  failingChanges = 0;
  isAlive = true;
  readonly closed: string[] = [];
  /** The services it has been told to have changed. */
  readonly changes: string[] = [];
  readonly #port: FakePort<Message>;

  constructor(clock: Clock, latencyMs?: () => number) {
    const [port, other] = FakePort.pair<Message>(clock, latencyMs);
    this.process = Object.assign(port, { pid: 1, ended: {}, kill: () => this.die() });
    this.#port = port;
    const channel = new Channel<PrimaryMethods, WorkerMethods>(
      {
        send: (message) => {
          this.sent += 1;
          other.send(message);
        },
        onMessage: (listener) => other.onMessage((message) => this.stuck || listener(message)),
        onClosed: (listener) => other.onClosed(listener),
      },
      {
        listen: ({ host, port: number }, call) => {
          if (host === 'taken') call.fail(Object.assign(new Error(), { code: 'EADDRINUSE' }));
          else call.answer({ address: host, family: 'IPv4', port: number });
        },
        revoke: ({ quota }, call) => call.answer(toSentUse(this.activator.revoke(quota))),
        close: ({ instanceId }, call) => {
          this.closed.push(instanceId);
          call.answer();
        },
        destroy: ({ instanceId }, call) => {
          this.closed.push(instanceId);
          call.answer();
        },
        changed: ({ service }, call) => {
          if (this.failingChanges-- > 0) throw new Error('the database is locked');
          this.changes.push(service);
          this.source.changed(service);
          call.answer();
        },
        use: (_, call) => call.answer(this.activator.use().map(toSentUse)),
        read: (_, call) => call.answer({ services: [['web', 1, [0, 0, 5]]], problems: [], residentBytes: 1 }),
        drain: (_, call) =>
          call.answer({ services: [['web', 0, [0, 0, 7]]], problems: [], residentBytes: 1 }),
      },
    );
    this.activator = new RemoteActivator(channel, clock);
    this.source = new RemoteSource(channel);
  }

  /** Ends the worker with its connections, and so with its leases. */
  die(): void {
    this.isAlive = false;
    this.leases.clear();
    this.#port.close();
  }
}
