import type { Exit } from '@cless/activator';
import { hasCode, messageOf } from '@cless/model';
import type { Logger } from 'pino';
import type { Access } from './access.ts';
import type { ToldEvent } from './told-event.ts';

/** Logs an event of an instance. */
export function logEvent(log: Logger, event: ToldEvent): void {
  if (event.type === 'runtime-connected') {
    log.info('runtime connected');
    return;
  }
  if (event.type === 'runtime-lost') {
    log.error(`runtime unavailable: ${event.error.message}`);
    return;
  }
  const { type, service, revision, instance } = event;
  const about = { service, revision: short(revision), instance: instance && short(instance) };
  switch (type) {
    case 'starting':
      if (event.relaxations === undefined) log.debug(about, `${service} starting`);
      else log.warn({ ...about, relaxations: event.relaxations }, `${service} starting with less hardening`);
      return;
    case 'created':
    case 'started':
      log.info({ ...about, durationMs: round(event.durationMs) }, `${service} ${type}`);
      return;
    case 'ready':
      log.info(
        { ...about, durationMs: round(event.durationMs), attempts: event.attempts },
        `${service} ready`,
      );
      return;
    case 'start-failed': {
      const { exitCode, oomKilled } = hasCode(event.error, 'START_FAILED') ? event.error : {};
      const facts = { exitCode, oomKilled, lastLogLines: event.lastLogLines };
      log.warn({ ...about, ...facts }, `${service} start failed: ${messageOf(event.error)}`);
      return;
    }
    case 'paused':
    case 'resumed':
      log.info(
        { ...about, durationMs: round(event.durationMs) },
        `${service} ${type}${event.byHand ? ' by hand' : ''}`,
      );
      return;
    case 'stopping':
      log.debug({ ...about, reason: event.reason }, `${service} stopping (${event.reason})`);
      return;
    case 'stopped':
      log.info(
        { ...about, reason: event.reason, durationMs: round(event.durationMs) },
        `${service} stopped (${event.reason})`,
      );
      return;
    case 'exited': {
      const { exitCode, oomKilled, lastLogLines } = event;
      log.warn({ ...about, exitCode, oomKilled, lastLogLines }, `${service} ${howItEnded(event)}`);
      return;
    }
    case 'out-of-memory':
      log.warn(about, `${service}: a process was killed, the memory of the instance was used up`);
      return;
    case 'restarting':
      log.info({ ...about, failures: event.failures }, `${service} never stops: it is started again`);
      return;
    case 'stop-failed':
    case 'pause-failed':
    case 'resume-failed':
      log.warn(about, `${service} ${type.replace('-', ' ')}: ${messageOf(event.error)}`);
      return;
    case 'adopted':
      log.info({ ...about, state: event.state }, `${service} adopted`);
      return;
  }
}

/**
 * Logs one line per request, with the query if asked for. Undefined if the level does not include it, since logging
 * is a fifth of the cost of a request.
 */
export function accessLog(log: Logger, { query = false } = {}): ((access: Access) => void) | undefined {
  return log.isLevelEnabled('info') ? (access) => logAccess(log, access, query) : undefined;
}

function logAccess(log: Logger, access: Access, query: boolean): void {
  const { requestId, method, host, path, service, revision, status, durationMs, waitedFor, error } = access;
  const reason = error === undefined ? undefined : messageOf(error);
  log.info(
    {
      requestId,
      host,
      service,
      revision: revision && short(revision),
      status,
      durationMs: round(durationMs),
      cold: waitedFor === 'cold',
      resumed: waitedFor === 'resume',
      error: reason,
    },
    `${method} ${(query ? path : withoutQuery(path)).slice(0, 200)} ${status}`,
  );
}

function howItEnded({ exitCode, oomKilled }: Exit): string {
  if (oomKilled) return 'ran out of memory';
  return exitCode === undefined ? 'exited' : `exited with code ${exitCode}`;
}

/** Says that there was a query, but not its content, which may be tokens, names or addresses. */
function withoutQuery(path: string): string {
  const at = path.indexOf('?');
  return at === -1 ? path : `${path.slice(0, at)}?…`;
}

/** Twelve of the 64 digits of an id are enough to read. */
function short(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
