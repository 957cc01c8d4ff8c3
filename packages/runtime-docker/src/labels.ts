/** Labels of what cLess makes: containers, networks, volumes. */
export const LABELS = {
  managed: 'cless.managed',
  owner: 'cless.owner',
  service: 'cless.service',
  revision: 'cless.revision',
  spec: 'cless.spec',
  /** The id of the state directory that acts for the owner. */
  state: 'cless.state',
  /** Of what is run for a process: which one. It is gone when that process is. */
  maker: 'cless.maker',
  /** Of an owner's record: where that state directory is. */
  directory: 'cless.directory',
  /** Of a volume that an image declared: where containers find it. */
  target: 'cless.target',
} as const;
