/*
 * Amounts as people write them, and as numbers. Durations as in the settings: `250ms`, `30s`, `5m`, `1h`; memory in
 * powers of two: `512MiB`, also as Docker (`512m`) and Kubernetes (`512Mi`) write it; statuses as `404` or `200-299`.
 */

const STATUSES = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/;

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
const MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

const MEMORY = /^(\d+(?:\.\d+)?)(?:([kmg])(?:ib?|b)?)?$/i;
const BYTES = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 } as const;

/** Milliseconds; nothing if it is no duration. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  return unit === undefined ? undefined : Math.round(Number(amount) * MS[unit as keyof typeof MS]);
}

/** The largest unit that says it whole. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'm', 's'] as const)
    if (ms > 0 && ms % MS[unit] === 0) return `${ms / MS[unit]}${unit}`;
  return `${ms}ms`;
}

/** Bytes; nothing if it is no amount of memory. */
export function parseMemory(text: string): number | undefined {
  const [match, amount, unit] = MEMORY.exec(text) ?? [];
  if (match === undefined) return undefined;
  const factor = unit === undefined ? 1 : BYTES[unit.toLowerCase() as keyof typeof BYTES];
  return Math.round(Number(amount) * factor);
}

/** The largest unit that says it whole. */
export function formatMemory(bytes: number): string {
  for (const unit of ['g', 'm', 'k'] as const)
    if (bytes > 0 && bytes % BYTES[unit] === 0) return `${bytes / BYTES[unit]}${unit.toUpperCase()}iB`;
  return String(bytes);
}

/** A status, or an inclusive range of them; nothing if it is neither. */
export function parseStatuses(text: string | number): number | [from: number, to: number] | undefined {
  const [, from, to] = STATUSES.exec(String(text)) ?? [];
  if (from === undefined) return undefined;
  if (to === undefined) return Number(from);
  return from <= to ? [Number(from), Number(to)] : undefined;
}

export function formatStatuses(statuses: number | readonly [from: number, to: number]): number | string {
  return typeof statuses === 'number' ? statuses : statuses.join('-');
}
