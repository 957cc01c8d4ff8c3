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

/** A service as a program says it: its image, and what is otherwise than the image and the installation say. */
export interface GivenService extends Partial<Omit<RevisionSpec, 'image' | 'imageId'>> {
  /** As the runtime knows it: a tag, a digest or an id; a name in the services file. */
  readonly image: string;
  /** Exact names, or `*.parent` for one label more. Default: its name as a first label. */
  readonly hosts?: readonly string[];
  /** Variables, as `env`, whose values appear in no log, event or error. */
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface Described {
  readonly service: string;
  /** What its image is called. */
  readonly reference: string;
  /** Undefined if there is none; a start says so. */
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
  // Once more: what is left out of it depends on all that is said.
  return toRevision(service, found.id, toSpec(fromSpec(spec), found), defaults, secrets);
}
