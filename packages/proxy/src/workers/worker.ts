import type { EdgeOptions } from '../edge/edge.ts';
import { Http1Edge } from '../edge/http1.ts';
import type { ServiceSource } from '../services/source.ts';
import { Channel, type Port } from './channel.ts';
import { type PrimaryMethods, toSentUse, type WorkerMethods } from './protocol.ts';
import { RemoteActivator } from './remote-activator.ts';
import { RemoteSource } from './remote-source.ts';

export interface WorkerOptions extends Omit<EdgeOptions, 'activator' | 'source'> {
  /** The channel to the primary. */
  readonly port: Port;
  /** Creates the source of services, which asks the primary's for what it does not have itself. */
  readonly createSource: (primary: RemoteSource) => ServiceSource;
  /** How many lines of its log could not be written. */
  readonly logLinesDropped?: () => number;
}

/**
 * Runs a worker in a forked process: accepts requests, with leases of the primary's activator.
 *
 * @returns `drain`, to end it without the primary. Resolves when open requests have ended, or after the timeout; with
 * false if the primary had asked for it already
 */
export function runWorker({ port, createSource, logLinesDropped, ...options }: WorkerOptions): {
  drain(timeoutMs: number): Promise<boolean>;
} {
  let draining: Promise<void> | undefined;
  const channel = new Channel<PrimaryMethods, WorkerMethods>(port, {
    listen: (where, call) => edge.listen(where, { reusePort: true }).then(call.answer, call.fail),
    revoke: ({ quota }, call) => call.answer(toSentUse(activator.revoke(quota))),
    close: ({ instanceId }, call) => edge.close(instanceId).then(call.answer, call.fail),
    destroy: ({ instanceId, reason }, call) => {
      edge.destroy(instanceId, new Error(reason));
      call.answer();
    },
    changed: ({ service }, call) => {
      source.changed(service);
      call.answer();
    },
    use: (_, call) => call.answer(activator.use().map(toSentUse)),
    read: (_, call) => read().then(call.answer, call.fail),
    drain: ({ timeoutMs }, call) => {
      draining ??= edge.drain(timeoutMs);
      draining.then(read).then(call.answer, call.fail);
    },
  });
  port.onClosed(() => process.exit(1)); // the primary is gone
  const activator = new RemoteActivator(channel, options.clock);
  const source = createSource(new RemoteSource(channel));
  const read = async () => ({ ...(await edge.read()), logLinesDropped: logLinesDropped?.() ?? 0 });
  const edge = new Http1Edge({ ...options, activator, source });
  return {
    async drain(timeoutMs) {
      const isFirst = draining === undefined;
      draining ??= edge.drain(timeoutMs);
      await draining;
      return isFirst;
    },
  };
}
