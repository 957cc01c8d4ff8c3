import { formatDuration, parseDuration } from '../duration.ts';
import { formatMemory, parseMemory } from '../memory.ts';
import { formatStatuses, parseStatuses, type Statuses } from '../statuses.ts';

/** A named volume or a folder of the host to mount. */
export interface Volume {
  /** The name of a volume of the installation's, which is made if need be; or an absolute path that the operator allows. */
  readonly source: string;
  /** The absolute path where the container finds it. */
  readonly target: string;
  readonly readOnly: boolean;
}

/**
 * Converts a value between the form people write (API, `cless.yaml`) and the stored form. Declared with methods, so
 * that any codec is assignable to `Codec`.
 */
interface Codec<Written = unknown, Stored = unknown> {
  /** Undefined if the text is not of this kind. */
  parse(written: Written): Stored | undefined;
  format(stored: Stored): Written;
}

function codec<Written, Stored>(
  parse: (written: Written) => Stored | undefined,
  format: (stored: Stored) => Written,
): Codec<Written, Stored> {
  return { parse, format };
}

function asWritten<T>(): Codec<T, T> {
  return codec(
    (written) => written,
    (stored) => stored,
  );
}

const CODECS = {
  image: asWritten<string>(),
  text: asWritten<string>(),
  path: asWritten<string>(),
  whole: asWritten<number>(),
  number: asWritten<number>(),
  choice: asWritten<string>(),
  choices: asWritten<readonly string[]>(),
  arguments: asWritten<readonly string[]>(),
  variables: asWritten<Readonly<Record<string, string>>>(),
  volumes: asWritten<readonly Volume[]>(),
  networks: asWritten<readonly string[]>(),
  memory: codec(parseMemory, formatMemory),
  duration: codec(parseDuration, formatDuration),
  durationOrNever: codec(
    (text: string): number | 'never' | undefined => (text === 'never' ? text : parseDuration(text)),
    (ms): string => (ms === 'never' ? ms : formatDuration(ms)),
  ),
  statuses: codec(
    (written: readonly (number | string)[]): readonly Statuses[] =>
      written.map(parseStatuses).filter((one) => one !== undefined),
    (stored) => stored.map(formatStatuses),
  ),
};

export type Kind = keyof typeof CODECS;

export function codecOf(kind: Kind): Codec {
  return CODECS[kind];
}

/** What describes an option of a kind, besides what describes all options. */
interface Facts {
  /** A reference, digest or id. */
  image: object;
  text: { readonly pattern: RegExp; readonly allowed: string; readonly maxLength: number };
  path: Labelled;
  whole: Range & Labelled;
  number: Range;
  choice: Labelled & {
    readonly values: readonly string[];
    /** Flags without an argument that stand for a value. */
    readonly switches?: Readonly<Record<string, { readonly name: string; readonly help: string }>>;
  };
  choices: { readonly values: readonly string[] };
  /** Strings for an argument list of the kernel. */
  arguments: { readonly atLeast: number };
  /** Environment variables; on the command line also from a file, described by `fileHelp`. */
  variables: { readonly fileHelp: string };
  volumes: object;
  networks: object;
  memory: object;
  duration: object;
  durationOrNever: Labelled;
  statuses: object;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** An option of a kind that a label can carry. */
interface Labelled {
  /** The label of an image that sets it, without `cless.`; `true` means its name. Several options may share one. */
  readonly label?: true | string;
}

interface Common {
  /** The path where it is written, for example `limits/memory`. Default: its key. */
  readonly at?: string;
  readonly required?: true;
  /** The value if it is not written but another of its group is. */
  readonly default?: string;
  /** The stored value if it is not written. */
  readonly unset?: object;
  /** Never returned, and stored separately. */
  readonly secret?: true;
  /**
   * Where its value is copied to: the spec of instances, or the revision. Options that are combined with the
   * installation's defaults are handled in `revision.ts` instead.
   */
  readonly goesTo?: 'instance' | 'revision';
  /** Its flag and label, without `--` and `cless.`. Default: the last part of `at`. */
  readonly name?: string;
  readonly short?: string;
  /** The argument of the flag in its help. */
  readonly takes?: string;
  /** The help on the command line and in the docs. */
  readonly help?: string;
  /** The description in the API's schema. */
  readonly description?: string;
  readonly examples?: readonly string[];
}

/** The description of one option of a revision. */
export type Option<K extends Kind = Kind> = { [One in K]: Common & Facts[One] & { readonly kind: One } }[K];

/** How an option is written. */
export type Written<O> = O extends { kind: 'choice'; values: readonly (infer Value)[] }
  ? Value
  : O extends { kind: 'choices'; values: readonly (infer Value)[] }
    ? readonly Value[]
    : O extends { kind: infer K extends Kind }
      ? ReturnType<(typeof CODECS)[K]['format']>
      : never;

/** The stored form of an option. */
export type Stored<O> = O extends { kind: 'choice' | 'choices' }
  ? Written<O>
  : O extends { kind: infer K extends Kind }
    ? Exclude<ReturnType<(typeof CODECS)[K]['parse']>, undefined>
    : never;
