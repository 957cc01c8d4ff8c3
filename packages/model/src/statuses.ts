/** An HTTP status, or an inclusive range of them. */
export type Statuses = number | readonly [from: number, to: number];

const STATUSES = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/;

/** Parses `404` or `200-299`; undefined if it is neither. */
export function parseStatuses(text: string | number): Statuses | undefined {
  const [, from, to] = STATUSES.exec(String(text)) ?? [];
  if (from === undefined) return undefined;
  if (to === undefined) return Number(from);
  return from <= to ? [Number(from), Number(to)] : undefined;
}

export function formatStatuses(statuses: Statuses): number | string {
  return typeof statuses === 'number' ? statuses : statuses.join('-');
}
