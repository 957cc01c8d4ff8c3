import type { ChildProcess } from 'node:child_process';
import type { Message, Port } from './channel.ts';
import type { WorkerProcess } from './link.ts';

/** One end of the channel of a forked process. */
interface Forked {
  send?(message: Message, onSent: () => void): boolean;
  on(event: 'message', listener: (message: Message) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

/** Sends messages over the IPC channel of a forked process. */
export function portOf(forked: Forked): Port {
  return {
    send: (message) => {
      forked.send?.(message, () => {}); // if it could not be sent, the channel ends
    },
    onMessage: (listener) => void forked.on('message', listener),
    onClosed: (listener) => void forked.once('disconnect', listener),
  };
}

/** A forked worker process, as the primary sees it. */
export function workerOf(child: ChildProcess): WorkerProcess {
  const port = portOf(child);
  const ended: { exitCode?: number | null; signal?: string | null; error?: Error } = {};
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let open = 2;
  const half = () => {
    open -= 1;
    if (open === 0) resolve();
  };
  child.once('disconnect', half); // all its messages have arrived
  child.once('exit', (exitCode, signal) => {
    Object.assign(ended, { exitCode, signal });
    half();
  });
  child.on('error', (error) => {
    if (child.pid !== undefined) return; // for example, a signal that could not be sent
    ended.error = error;
    resolve(); // it was never started
  });
  return {
    ...port,
    ended,
    pid: child.pid,
    onClosed: (listener) => void closed.then(listener),
    kill: () => void child.kill('SIGKILL'),
  };
}
