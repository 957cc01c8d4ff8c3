import type { InstanceOptions, RevisionInput, RevisionOptions, RevisionSpec } from './forms.ts';
import { codecOf } from './kinds.ts';
import { PLACED_OPTIONS, type PlacedOption, setAt, valueAt } from './placed.ts';

/*
 * Converts between the written form, for people, and the stored form, for programs. These functions walk the description,
 * so each states in an overload what comes out, which the types of `forms.ts` have from the same description.
 */

/** Picks the options of one part that a spec sets. */
export function saidOf(spec: RevisionSpec, part: 'instance'): InstanceOptions;
export function saidOf(spec: RevisionSpec, part: 'revision'): RevisionOptions;
export function saidOf(spec: object, part: string): object {
  const said: Record<string, unknown> = {};
  for (const placed of PLACED_OPTIONS)
    if (placed.option.goesTo === part && isSaid(spec, placed))
      setAt(said, placed.key, valueAt(spec, placed.key));
  return said;
}

/** What needs to be known about an image. */
interface Image {
  readonly id: string;
  readonly exposedPorts: readonly number[];
  /** The paths the image declares as `VOLUME`. */
  readonly volumes?: readonly string[] | undefined;
}

/** Converts the written form to the stored one. What was not written is taken from the image, if that sets it. */
export function toSpec(input: RevisionInput, image: Image): RevisionSpec {
  const { id, exposedPorts, volumes } = image;
  const spec = parse(input, id);
  return {
    ...spec,
    port: spec.port ?? (exposedPorts.length === 1 ? exposedPorts[0] : undefined),
    rollout: spec.rollout ?? defaultRollout(spec, volumes),
  };
}

function parse(input: RevisionInput, imageId: string): RevisionSpec;
function parse(input: object, imageId: string): object {
  const spec: Record<string, unknown> = { ...UNSET, imageId };
  for (const { option, at, key } of PLACED_OPTIONS) {
    if (option.secret) continue;
    const isGroupWritten = valueAt(input, [at[0]]) !== undefined;
    const written = valueAt(input, at) ?? (isGroupWritten ? option.default : undefined);
    if (written !== undefined) setAt(spec, key, codecOf(option.kind).parse(written));
  }
  return spec;
}

/** The default rollout: a revision that writes a volume replaces the one before it. */
function defaultRollout({ volumes }: RevisionSpec, declared: readonly string[] = []): 'replace' | undefined {
  const given = new Set(volumes.map(({ target }) => target));
  const writes = volumes.some(({ readOnly }) => !readOnly) || declared.some((target) => !given.has(target));
  return writes ? 'replace' : undefined;
}

/** Converts the stored form to the written one, without defaults. */
export function fromSpec(spec: RevisionSpec): Omit<RevisionInput, 'secrets'>;
export function fromSpec(spec: object): object {
  const groups = new Set(PLACED_OPTIONS.filter((one) => isSaid(spec, one)).map(({ at }) => at[0]));
  const input: Record<string, unknown> = {};
  for (const placed of PLACED_OPTIONS) {
    const { option, at, key } = placed;
    if (isSaid(spec, placed)) setAt(input, at, codecOf(option.kind).format(valueAt(spec, key)));
    else if (option.default !== undefined && groups.has(at[0])) setAt(input, at, option.default);
  }
  return input;
}

/** Completes a spec stored by an earlier version, which knew fewer options, or one that only names its image. */
export function readSpec(
  stored: Pick<RevisionSpec, 'image' | 'imageId'> & Partial<RevisionSpec>,
): RevisionSpec;
export function readSpec(stored: object): object {
  return { ...UNSET, ...stored };
}

/** Does a spec set the option to anything but its default? */
function isSaid(spec: object, { option, key }: PlacedOption): boolean {
  const value = valueAt(spec, key);
  if (value === undefined) return false;
  return option.unset === undefined || typeof value !== 'object' || Object.keys(value ?? {}).length > 0;
}

const UNSET = Object.fromEntries(
  PLACED_OPTIONS.flatMap(({ option, key }) => (option.unset === undefined ? [] : [[key[0], option.unset]])),
);
