import { Failure } from '@cless/model';
import type { Incoming } from '../exchange/incoming.ts';

/** Whom `Via` names for us (RFC 9110 §7.6.3); the same for each installation, so that a loop over several is one, too. */
export const PSEUDONYM = 'cless';
/** How often a request may have come through one of us: several in a row are fine, a circle has no end. */
const MAX_PASSES = 5;

/**
 * May the request go one hop further? TRACE may not: its answer shows what others have added on the way.
 *
 * @param via all its `Via` headers in one
 * @throws {Failure} `LOOP`, `METHOD_NOT_ALLOWED`
 */
export function checkHops(method: string, via: string | undefined): void {
  if (method === 'TRACE') throw new Failure('METHOD_NOT_ALLOWED', 'TRACE is not passed on');
  if (via === undefined) return;
  const passes = via.split(',').filter((one) => one.trim().split(/[ \t]+/)[1] === PSEUDONYM).length;
  if (passes >= MAX_PASSES)
    throw new Failure(
      'LOOP',
      `the request has come through ${PSEUDONYM} ${passes} times: it goes in a circle`,
    );
}

/** Is the request for the last one that it reaches, which is us (RFC 9110 §7.6.2)? */
export function endsHere({ method, rawHeaders }: Pick<Incoming, 'method' | 'rawHeaders'>): boolean {
  if (method !== 'OPTIONS') return false;
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'max-forwards');
  return at !== -1 && /^0+$/.test(rawHeaders[at + 1] ?? '');
}

/** `Max-Forwards` for the next hop. Only OPTIONS and TRACE know it; one that is no number is left alone. */
export function fewerForwards(method: string, value: string): string {
  return method === 'OPTIONS' && /^\d{1,9}$/.test(value) ? String(Math.max(0, Number(value) - 1)) : value;
}
