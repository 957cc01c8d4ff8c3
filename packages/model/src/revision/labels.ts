import type { RevisionInput } from './forms.ts';
import { codecOf, type Option } from './kinds.ts';
import { type Path, PLACED_OPTIONS, setAt } from './placed.ts';

const PREFIX = 'cless.';

interface Labelled {
  /** The label as on the image. */
  readonly label: string;
  readonly option: Option<'whole' | 'path' | 'choice' | 'durationOrNever'>;
  readonly at: Path;
}

/** The options that labels of an image may set. */
export const LABELLED_OPTIONS: readonly Labelled[] = PLACED_OPTIONS.flatMap(({ option, name, at }) => {
  if (!('label' in option) || option.label === undefined) return [];
  return { label: PREFIX + (option.label === true ? name : option.label), option, at };
});

/** What the labels of an image say about its service, in the form of the API. */
export interface ImageLabels {
  readonly said: Omit<RevisionInput, 'image'>;
  /** The ignored labels, and why. */
  readonly ignored: readonly string[];
}

/**
 * Reads an image's own labels: `cless.port`, `cless.pause-after` and others; `cless.ready` is a path or `tcp`. Labels
 * that do not begin with `cless.` are not ours.
 */
export function readImageLabels(labels: Readonly<Record<string, string>>): ImageLabels {
  const said: Record<string, unknown> = {};
  const ignored: string[] = [];
  for (const [label, text] of Object.entries(labels)) {
    if (!label.startsWith(PREFIX)) continue;
    const options = LABELLED_OPTIONS.filter((one) => one.label === label);
    const read = options
      .map(({ option, at }) => ({ at, value: readAs(option, text) }))
      .find(({ value }) => value !== undefined);
    if (read !== undefined) setAt(said, read.at, read.value);
    else ignored.push(`${label}: ${JSON.stringify(text.slice(0, 100))} is ignored; ${allowed(options)}`);
  }
  return { said, ignored };
}

/** Converts a label to the written form of its option; undefined if it is invalid. */
function readAs(option: Labelled['option'], text: string): unknown {
  switch (option.kind) {
    case 'whole': {
      const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return number >= option.min && number <= option.max ? number : undefined;
    }
    case 'path':
      return /^\/[!-~]*$/.test(text) ? text : undefined;
    case 'choice':
      return choices(option).find((value) => value === text);
    case 'durationOrNever':
      return codecOf(option.kind).parse(text) === undefined ? undefined : text;
  }
}

function allowed(options: readonly Labelled[]): string {
  if (options.length === 0)
    return `of an image’s labels only ${list(LABELLED_OPTIONS.map(({ label }) => label))} count`;
  const forms = options.flatMap(({ option }) => formsOf(option));
  return options.some(({ option }) => option.kind === 'durationOrNever')
    ? `allowed is ${list(forms)}`
    : `allowed are ${list(forms)}`;
}

function formsOf(option: Labelled['option']): readonly string[] {
  switch (option.kind) {
    case 'whole':
      return [`${option.min} to ${option.max}`];
    case 'path':
      return ['/path'];
    case 'choice':
      return choices(option);
    case 'durationOrNever':
      return ['a duration like 30s, or never'];
  }
}

/** For an option with a default, only the other values are offered. */
function choices({ values, switches }: Option<'choice'>): readonly string[] {
  return switches === undefined ? values : Object.keys(switches);
}

/** `a, b and c`, each once. */
function list(words: readonly string[]): string {
  const all = [...new Set(words)];
  const last = all.pop() ?? '';
  return all.length === 0 ? last : `${all.join(', ')} and ${last}`;
}
