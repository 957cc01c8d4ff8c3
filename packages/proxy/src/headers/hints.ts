import type { Outgoing } from '../exchange/outgoing.ts';
import { isName, isText } from './field.ts';
import { isHopByHop } from './hop-by-hop.ts';

/**
 * Passes early hints (RFC 8297) on unchanged. Drops other informational answers, which are hop-by-hop or say nothing,
 * and hints that cannot be passed on.
 *
 * @param headers of the instance, names and values alternating
 */
export function passHintsOn(
  outgoing: Pick<Outgoing, 'writeHints'> & Partial<Pick<Outgoing, 'status'>>,
  status: number,
  headers: readonly string[],
): void {
  if (status !== 103 || outgoing.status !== undefined) return;
  const passed: string[] = [];
  let links = 0;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    const lowerCase = name.toLowerCase();
    if (isHopByHop(lowerCase) || lowerCase === 'content-length') continue;
    if (!isName(name) || !isText(value)) return;
    if (lowerCase === 'link') links += 1;
    passed.push(name, value);
  }
  if (links > 0) outgoing.writeHints(passed);
}
