import type { Option } from './kinds.ts';
import { OPTIONS } from './options.ts';

/** Where a value is in an object that is at most two deep. */
export type Path = readonly [key: string] | readonly [group: string, key: string];

/** An option and its paths. */
export interface PlacedOption {
  readonly option: Option;
  /** In the written form: `limits`, `memory`. */
  readonly at: Path;
  /** In the stored form: `memoryBytes`. */
  readonly key: Path;
  /** Its flag and its label, without `--` and `cless.`. */
  readonly name: string;
}

/** All options, in their order. */
export const PLACED_OPTIONS: readonly PlacedOption[] = Object.entries(OPTIONS).flatMap(([key, entry]) =>
  'fields' in entry
    ? Object.entries(entry.fields).map(([field, option]) => place(option, [key, field]))
    : place(entry, [key]),
);

/** The value at a path; undefined if there is none. */
export function valueAt(object: unknown, [first, second]: Path): unknown {
  const value = isRecord(object) ? object[first] : undefined;
  return second === undefined ? value : valueAt(value, [second]);
}

/** Sets a value, creating the object around it if necessary. */
export function setAt(object: Record<string, unknown>, [first, second]: Path, value: unknown): void {
  if (second === undefined) {
    object[first] = value;
    return;
  }
  const group = object[first];
  object[first] = { ...(isRecord(group) && group), [second]: value };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function place(option: Option, key: Path): PlacedOption {
  const [first = '', second] = option.at?.split('/') ?? key;
  const at: Path = second === undefined ? [first] : [first, second];
  return { option, at, key, name: option.name ?? kebab(second ?? first) };
}

/** `pauseAfter` → `pause-after`. */
function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
