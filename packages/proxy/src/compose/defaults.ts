import type { RevisionDefaults } from '@cless/model';
import type { EdgeLimits } from '../edge/edge.ts';
import type { LaneOptions } from '../lane/parts.ts';
import type { Settings } from '../settings/table.ts';

/** Converts `never` and `none` to undefined. */
export function orUndefined<T>(value: T | 'never' | 'none'): T | undefined {
  return value === 'never' || value === 'none' ? undefined : value;
}

/** The limits for clients. */
export function limitsOf(settings: Settings): EdgeLimits {
  return {
    maxTargetBytes: settings['max-target-bytes'],
    maxHeaderBytes: settings['max-header-bytes'],
    maxHeaderCount: settings['max-headers'],
    maxBodyBytes: orUndefined(settings['max-body-bytes']) ?? Number.POSITIVE_INFINITY,
    headersTimeoutMs: settings['headers-timeout'],
    keepAliveTimeoutMs: settings['keep-alive-timeout'],
    bodyTimeoutMs: orUndefined(settings['body-timeout']) ?? Number.POSITIVE_INFINITY,
    idleTimeoutMs: orUndefined(settings['idle-timeout']) ?? Number.POSITIVE_INFINITY,
  };
}

/** The lane; undefined if it is off, or another forwarder than undici is to see every request. */
export function laneOf(
  settings: Pick<Settings, 'lane' | 'forwarder' | 'response-timeout'>,
): LaneOptions | undefined {
  if (settings.lane === 'off' || settings.forwarder !== 'undici') return undefined;
  return { responseTimeoutMs: settings['response-timeout'] };
}

/** The defaults for revisions. */
export function revisionDefaultsOf(
  settings: Pick<Settings, 'ready-timeout' | 'pause-after' | 'stop-after' | 'stop-grace'>,
): RevisionDefaults {
  return {
    readiness: { check: { kind: 'http' }, timeoutMs: settings['ready-timeout'] },
    idle: {
      pauseAfterMs: orUndefined(settings['pause-after']),
      stopAfterMs: orUndefined(settings['stop-after']),
    },
    stopGraceMs: settings['stop-grace'],
  };
}
