const MEMORY = /^(\d+(?:\.\d+)?)(?:([kmg])(?:ib?|b)?)?$/i;
const BYTES = { G: 1024 ** 3, M: 1024 ** 2, K: 1024 } as const;
const LARGEST_FIRST = ['G', 'M', 'K'] as const;

/**
 * An amount of memory in bytes; undefined if it is not one. Units are powers of two: `512MiB`, also as Docker
 * (`512m`) and Kubernetes (`512Mi`) write it; a bare number is bytes.
 */
export function parseMemory(text: string): number | undefined {
  const [match, amount, written] = MEMORY.exec(text) ?? [];
  if (match === undefined) return undefined;
  const unit = LARGEST_FIRST.find((one) => one === written?.toUpperCase());
  return Math.round(Number(amount) * (unit === undefined ? 1 : BYTES[unit]));
}

/** Formats in the largest unit that gives a whole number. */
export function formatMemory(bytes: number): string {
  const unit = LARGEST_FIRST.find((one) => bytes > 0 && bytes % BYTES[one] === 0);
  return unit === undefined ? String(bytes) : `${bytes / BYTES[unit]}${unit}iB`;
}
