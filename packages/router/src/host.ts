import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { Failure } from '@cless/model';

/** A host as named by a request, normalized so that equal hosts are equal strings. */
export interface Host {
  /** Lower case, without port and trailing dot; IDN as punycode; an IPv6 literal without its brackets. */
  readonly name: string;
  readonly kind: 'name' | 'ipv4' | 'ipv6';
}

const MAX_NAME_LENGTH = 253; // RFC 1035 §2.3.4: 255 octets on the wire
const MAX_LABEL_LENGTH = 63;
const PORT = /^(?::(\d*))?$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/**
 * Parses the value of a `Host` header or the authority of an absolute-form target
 * (RFC 9110 §7.2: `uri-host [ ":" port ]`).
 *
 * Names follow RFC 1123 §2.1 (letters, digits and inner hyphens, labels of 1 to 63 octets, 253 in all);
 * one trailing dot is dropped; Unicode names become punycode (UTS #46). A name whose last label is a
 * number must be an IPv4 address, as in the WHATWG URL standard, so that `127.1` cannot pass for a name.
 *
 * @throws with code `INVALID_HOST` and the `reason`, if it is anything else
 */
export function parseHost(value: string): Host {
  if (value.startsWith('[')) return parseIpv6(value);

  const colon = value.indexOf(':');
  const written = colon === -1 ? value : value.slice(0, colon);
  if (colon !== -1) checkPort(value, value.slice(colon));

  let name = isAscii(written) ? written.toLowerCase() : domainToASCII(written);
  if (name === '') throw invalidHost(value, written === '' ? 'it is empty' : 'no valid IDN');
  if (name.endsWith('.')) name = name.slice(0, -1);

  if (name.length > MAX_NAME_LENGTH) {
    throw invalidHost(value, `longer than ${MAX_NAME_LENGTH} characters`);
  }
  let lastLabel = '';
  for (const label of name.split('.')) {
    if (label === '') throw invalidHost(value, 'a label is empty');
    if (label.length > MAX_LABEL_LENGTH) {
      throw invalidHost(value, `a label is longer than ${MAX_LABEL_LENGTH} characters`);
    }
    if (!LABEL.test(label)) {
      throw invalidHost(value, 'labels are letters, digits and inner hyphens');
    }
    lastLabel = label;
  }
  if (/^(?:\d+|0x[0-9a-f]*)$/.test(lastLabel)) {
    if (!isIPv4(name)) throw invalidHost(value, 'it ends in a number but is no IPv4 address');
    return { name, kind: 'ipv4' };
  }
  return { name, kind: 'name' };
}

function parseIpv6(value: string): Host {
  const end = value.indexOf(']');
  const address = value.slice(1, end);
  if (end === -1 || address.includes('%') || !isIPv6(address)) {
    throw invalidHost(value, 'no IPv6 address in brackets');
  }
  checkPort(value, value.slice(end + 1));
  return { name: new URL(`http://[${address}]`).hostname.slice(1, -1), kind: 'ipv6' };
}

function checkPort(value: string, suffix: string): void {
  const digits = PORT.exec(suffix)?.[1] ?? (suffix === '' ? '' : undefined);
  if (digits === undefined || Number(digits) > 65535) {
    throw invalidHost(value, 'the port is not a number up to 65535');
  }
}

/** @param reason the rule it breaks */
export function invalidHost(value: string, reason: string): Failure {
  const start = JSON.stringify(value.slice(0, 100));
  return new Failure('INVALID_HOST', `${start} is not a host: ${reason}`, { reason });
}

function isAscii(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0x7f) return false;
  return true;
}
