import { isAbsolute, resolve } from 'node:path';
import { parseDuration } from '@cless/model';
import { TrustedProxies } from '../headers/trusted-proxies.ts';

/** How a setting is written. */
export interface Syntax<T> {
  /** What is allowed, for the error message. */
  readonly allowed: string;
  /** Undefined if the text is not allowed. */
  readonly parse: (value: string) => T | undefined;
}

export function text<T>(allowed: string, parse: (value: string) => T | undefined): Syntax<T> {
  return { allowed, parse };
}

/** The same, or one word that stands for something else: `never`, `none`, `off`. */
export function textOr<T, const W extends string>(
  word: W,
  allowed: string,
  parse: (value: string) => T | undefined,
): Syntax<T | W> {
  return text<T | W>(`${allowed}, or ${word}`, (value) => (value === word ? word : parse(value)));
}

export const anyText = text('any text', (value) => value);

export const oneOf = <const T extends string>(...values: T[]): Syntax<T> =>
  text(values.join(' or '), (value) => values.find((one) => one === value));

const DURATION = 'a duration like 250ms, 30s or 5m';
/** In milliseconds. */
export const duration = text(DURATION, parseDuration);
export const durationOrNever = textOr('never', DURATION, parseDuration);

export const count = (min: number): Syntax<number> =>
  text(`a whole number from ${min}`, (value) => parseCount(value, min));
export const countOrNone = (min: number): Syntax<number | 'none'> =>
  textOr('none', `a whole number from ${min}`, (value) => parseCount(value, min));

export function parseCount(value: string, min: number): number | undefined {
  return /^\d{1,15}$/.test(value) && Number(value) >= min ? Number(value) : undefined;
}

export function parseAddress(value: string): { host: string; port: number } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65535) return undefined;
  return { host: host === '' ? '0.0.0.0' : host, port: Number(port) };
}

export function parsePortRange(value: string): { from: number; to: number } | undefined {
  const [, from, to] = /^(\d{1,5})-(\d{1,5})$/.exec(value) ?? [];
  const range = { from: Number(from), to: Number(to) };
  return range.from >= 1024 && range.to <= 65535 && range.from <= range.to ? range : undefined;
}

export function parseHostnames(value: string): string[] | undefined {
  if (value === 'none') return [];
  const names = value.split(',').map((name) => name.trim().toLowerCase());
  return names.every((name) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) ? names : undefined;
}

export function parsePaths(value: string): string[] | undefined {
  if (value === 'none') return [];
  const paths = value.split(',').map((path) => path.trim());
  return paths.every((path) => isAbsolute(path)) ? paths.map((path) => resolve(path)) : undefined;
}

/** What may be appended to a service's name to make its image's: `-docker`, `-app:prod`. */
export function parseSuffix(value: string): string | undefined {
  return /^[a-z0-9._-]{0,64}(?::[\w][\w.-]{0,127})?$/.test(value) ? value : undefined;
}

export function parseOwner(value: string): string | undefined {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(value) ? value : undefined;
}

export function parseTrustedProxies(value: string): TrustedProxies | undefined {
  if (value === 'none') return new TrustedProxies([]);
  try {
    return new TrustedProxies(value.split(',').map((entry) => entry.trim()));
  } catch {
    return undefined;
  }
}
