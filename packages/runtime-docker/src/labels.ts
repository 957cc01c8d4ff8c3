/** The labels of containers, networks and volumes that cLess creates. */
export const LABELS = {
  managed: 'cless.managed',
  owner: 'cless.owner',
  service: 'cless.service',
  revision: 'cless.revision',
  spec: 'cless.spec',
  /** The id of the state directory that acts for the owner. */
  state: 'cless.state',
  /** On a container of a `run`: the process it belongs to and ends with. */
  maker: 'cless.maker',
  /** On an owner's record: the path of that state directory. */
  directory: 'cless.directory',
  /** On a volume that an image declared: the path where containers have it. */
  target: 'cless.target',
} as const;
