import type { ChildProcess } from 'node:child_process';
import type { Message, Port } from './channel.ts';
import type { WorkerProcess } from './link.ts';

/** The other end of a forked process' channel, seen from either side. */
interface Forked {
  send?(message: Message, onSent: () => void): boolean;
  on(event: 'message', listener: (message: Message) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

/** Messages over the channel that Node opens between a process and those that it forks. */
export function portOf(forked: Forked): Port {
  return {
    send: (message) => {
      forked.send?.(message, () => {}); // that it could not be sent is told by the end of the channel
    },
    onMessage: (listener) => void forked.on('message', listener),
    onClosed: (listener) => void forked.once('disconnect', listener),
  };
}

/** A process that was forked to be a worker, as the primary has it. */
export function workerOf(child: ChildProcess): WorkerProcess {
  const port = portOf(child);
  const ended: { exitCode?: number | null; signal?: string | null; error?: Error } = {};
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let open = 2;
  const half = () => {
    open -= 1;
    if (open === 0) resolve();
  };
  child.once('disconnect', half); // all that it said has come
  child.once('exit', (exitCode, signal) => {
    Object.assign(ended, { exitCode, signal });
    half();
  });
  child.on('error', (error) => {
    if (child.pid !== undefined) return; // a signal that could not be sent, say
    ended.error = error;
    resolve(); // it never was
  });
  return {
    ...port,
    ended,
    pid: child.pid,
    onClosed: (listener) => void closed.then(listener),
    kill: () => void child.kill('SIGKILL'),
  };
}
