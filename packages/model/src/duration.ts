const DURATION = /^(\d{1,15}(?:\.\d+)?)(ms|s|m|h)$/;
const MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const LARGEST_FIRST = ['h', 'm', 's', 'ms'] as const;

/** Parses `250ms`, `30s`, `1.5m` or `1h` into whole milliseconds; undefined if it is not a duration. */
export function parseDuration(text: string): number | undefined {
  const [, amount, written] = DURATION.exec(text) ?? [];
  const unit = LARGEST_FIRST.find((one) => one === written);
  if (unit === undefined) return undefined;
  const ms = Math.round(Number(amount) * MS[unit]);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** Formats in the largest unit that gives a whole number. */
export function formatDuration(ms: number): string {
  const unit = LARGEST_FIRST.find((one) => ms > 0 && ms % MS[one] === 0) ?? 'ms';
  return `${ms / MS[unit]}${unit}`;
}
