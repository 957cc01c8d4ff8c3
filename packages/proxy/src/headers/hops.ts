import { Failure } from '@cless/model';
import type { Incoming } from '../exchange/incoming.ts';

/** Our name in `Via` (RFC 9110 §7.6.3). Equal for all installations, so that loops over several are detected too. */
export const PSEUDONYM = 'cless';
/** How often a request may have passed through proxies of this name: a few in a row are fine, a loop never ends. */
const MAX_PASSES = 5;

/**
 * Checks that the request may go one hop further. TRACE may not, since its answer shows headers added on the way.
 *
 * @param via all its `Via` headers, joined
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

/** Does `Max-Forwards` make us the final recipient (RFC 9110 §7.6.2)? */
export function endsHere({ method, rawHeaders }: Pick<Incoming, 'method' | 'rawHeaders'>): boolean {
  if (method !== 'OPTIONS') return false;
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'max-forwards');
  return at !== -1 && /^0+$/.test(rawHeaders[at + 1] ?? '');
}

/** `Max-Forwards` for the next hop. Only applies to OPTIONS and TRACE; a value that is not a number is left alone. */
export function fewerForwards(method: string, value: string): string {
  return method === 'OPTIONS' && /^\d{1,9}$/.test(value) ? String(Math.max(0, Number(value) - 1)) : value;
}
