import type { Outgoing } from '../exchange/outgoing.ts';
import { isHopByHop } from './hop-by-hop.ts';

const NO_TRAILER = new Set([
  'content-length',
  'content-encoding',
  'content-type',
  'content-range',
  'host',
  'set-cookie',
  'trailer',
]);

/**
 * Passes trailer fields on.
 *
 * @param trailers of the instance, names and values alternating
 * @throws if one of them is not valid in HTTP
 */
export function passTrailersOn(outgoing: Outgoing, trailers: readonly string[]): void {
  const passed = passedTrailers(trailers);
  if (passed.length > 0) outgoing.sendTrailers(passed);
}

/**
 * The trailer fields that are passed on: not those for framing, routing or authentication (RFC 9110 §6.5.1).
 *
 * @param trailers names and values alternating
 */
export function passedTrailers(trailers: readonly string[]): string[] {
  const passed: string[] = [];
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = trailers[i] as string;
    const lowerCase = name.toLowerCase();
    if (!isHopByHop(lowerCase) && !NO_TRAILER.has(lowerCase)) passed.push(name, trailers[i + 1] as string);
  }
  return passed;
}
