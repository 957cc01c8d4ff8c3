/** Labels of what cLess makes: containers, networks, volumes. */
export const LABELS = {
  managed: 'cless.managed',
  owner: 'cless.owner',
  service: 'cless.service',
  revision: 'cless.revision',
  spec: 'cless.spec',
  /** Of a volume that an image declared: where containers find it. */
  target: 'cless.target',
} as const;
