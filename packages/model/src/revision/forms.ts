import type { Stored, Written } from './kinds.ts';
import type { OPTIONS } from './options.ts';

/*
 * The types of the written, the stored and the running form, inferred from the descriptions of the options, whose doc
 * comments apply to the fields here.
 */

type Options = typeof OPTIONS;
type Key = keyof Options;
type Going<To extends string> = { [K in Key]: Options[K] extends { goesTo: To } ? K : never }[Key];

/** Where an option is written: `limits/memory`. */
type PathOf<K extends Key> = Options[K] extends { at: infer Path extends string } ? Path : K;
type WrittenOf<O> = O extends { fields: infer Fields }
  ? { readonly [K in keyof Fields]?: Written<Fields[K]> | undefined }
  : Written<O>;

type KeyAt<Path extends string> = { [K in Key]: PathOf<K> extends Path ? K : never }[Key];
type Group = { [K in Key]: PathOf<K> extends `${infer Group}/${string}` ? Group : never }[Key];
type RequiredKey = { [K in Key]: Options[K] extends { required: true } ? K : never }[Key];
type Grouped<G extends string> = {
  readonly [K in KeyAt<`${G}/${string}`> as PathOf<K> extends `${G}/${infer Name}` ? Name : never]?:
    | WrittenOf<Options[K]>
    | undefined;
};

/**
 * A revision as people write it in the API and in `cless.yaml`. The installation's defaults apply to what is left
 * out.
 */
export type RevisionInput = {
  readonly [K in RequiredKey]: WrittenOf<Options[K]>;
} & {
  readonly [K in Exclude<KeyAt<Key>, RequiredKey | Group>]?: WrittenOf<Options[K]> | undefined;
} & {
  readonly [G in Group]?: ((G extends Key ? WrittenOf<Options[G]> : unknown) & Grouped<G>) | undefined;
};

type StoredOf<O> = O extends { fields: infer Fields }
  ? {
      readonly [K in keyof Fields as Fields[K] extends { default: string } ? K : never]: Stored<Fields[K]>;
    } & {
      readonly [K in keyof Fields as Fields[K] extends { default: string } ? never : K]?:
        | Stored<Fields[K]>
        | undefined;
    }
  : Stored<O>;
type Secret = { [K in Key]: Options[K] extends { secret: true } ? K : never }[Key];
type Always = { [K in Key]: Options[K] extends { required: true } | { unset: object } ? K : never }[Key];
type StoredAlways = { readonly [K in keyof Pick<Options, Always>]: StoredOf<Options[K]> };
type StoredIfSaid = {
  readonly [K in keyof Omit<Options, Always | Secret>]?: StoredOf<Options[K]> | undefined;
};

/**
 * What a revision's instances are made from and how they are treated. The installation's default applies to what is
 * undefined.
 */
export interface RevisionSpec extends StoredAlways, StoredIfSaid {
  /** The image's id at the time of the deploy: a revision stays the same when the tag moves. */
  readonly imageId: string;
}

/** The options of a revision that instances are made from. */
export type InstanceOptions = {
  readonly [K in keyof Pick<Options, Going<'instance'>>]?: StoredOf<Options[K]>;
};
/** How a revision is treated. */
export type RevisionOptions = {
  readonly [K in keyof Pick<Options, Going<'revision'>>]?: StoredOf<Options[K]>;
};
