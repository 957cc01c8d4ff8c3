import type { Check } from '@cless/model';
import { parseDuration } from '@cless/model';

/** What an image says of itself, as the defaults of its service by convention. Times in milliseconds. */
export interface ImageDefaults {
  readonly port?: number;
  readonly check?: Check;
  /** `never` is that, whatever the installation says. */
  readonly pauseAfterMs?: number | 'never';
  readonly stopAfterMs?: number | 'never';
}

const PREFIX = 'cless.';

/**
 * Reads an image's own labels `cless.port`, `cless.ready` (`/path` or `tcp`), `cless.pause-after` and `cless.stop-after`.
 *
 * @returns also what of its labels counts for nothing, and why
 */
export function readImageLabels(labels: Readonly<Record<string, string>>): {
  readonly defaults: ImageDefaults;
  readonly ignored: readonly string[];
} {
  let defaults: ImageDefaults = {};
  const ignored: string[] = [];
  for (const [label, value] of Object.entries(labels)) {
    if (!label.startsWith(PREFIX)) continue;
    const read = readLabel(label.slice(PREFIX.length), value);
    if (typeof read === 'object') defaults = { ...defaults, ...read };
    else ignored.push(`${label}: ${JSON.stringify(value.slice(0, 100))} is ignored; ${read}`);
  }
  return { defaults, ignored };
}

/** What it says, or why that is nothing. */
function readLabel(name: string, value: string): ImageDefaults | string {
  switch (name) {
    case 'port': {
      const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
      return port > 0 && port <= 65_535 ? { port } : 'allowed are 1 to 65535';
    }
    case 'ready':
      if (value === 'tcp') return { check: { kind: 'tcp' } };
      return /^\/[!-~]*$/.test(value)
        ? { check: { kind: 'http', path: value } }
        : 'allowed are /path and tcp';
    case 'pause-after':
    case 'stop-after': {
      const ms = value === 'never' ? value : parseDuration(value);
      if (ms === undefined) return 'allowed is a duration like 30s, or never';
      return name === 'pause-after' ? { pauseAfterMs: ms } : { stopAfterMs: ms };
    }
    default:
      return 'of an image’s labels only cless.port, cless.ready, cless.pause-after and cless.stop-after count';
  }
}
