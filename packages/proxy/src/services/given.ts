import {
  fromSpec,
  type Revision,
  type RevisionDefaults,
  type RevisionSpec,
  type Runtime,
  readImageLabels,
  readSpec,
  toRevision,
  toSpec,
} from '@cless/model';

/** A service as given by a program: its image, and the options that differ from the defaults. */
export interface GivenService extends Partial<Omit<RevisionSpec, 'image' | 'imageId'>> {
  /** The image as named by the runtime: a tag, a digest or an id; or a name in the services file. */
  readonly image: string;
  /** Exact names, or `*.parent` for exactly one more label. Default: its name as the first label. */
  readonly hosts?: readonly string[];
  /** Variables like `env` whose values must appear in no log, event or error. */
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface Described {
  readonly service: string;
  /** The name of its image. */
  readonly reference: string;
  /** Undefined if there is none, which the start reports. */
  readonly image: Awaited<ReturnType<Runtime['image']>>;
  readonly given: GivenService | undefined;
  readonly defaults: RevisionDefaults;
  /** Called for each label of the image that is ignored. */
  readonly warn: ((message: string) => void) | undefined;
}

/** The revision of a service that is an image: as is given, else as the image says, else as the installation does. */
export function revisionOf({ service, reference, image, given, defaults, warn }: Described): Revision {
  const found = image ?? { id: reference, exposedPorts: [] };
  const { said, ignored } = readImageLabels(image?.labels ?? {});
  for (const label of ignored) warn?.(`image ${reference}: ${label}`);
  const { image: _, hosts, secrets = {}, ...options } = given ?? {};
  const spec = readSpec({ ...toSpec({ image: reference, ...said }, { ...found, volumes: [] }), ...options });
  // Converted twice, since defaults depend on the other options.
  return toRevision(service, found.id, toSpec(fromSpec(spec), found), defaults, secrets);
}
