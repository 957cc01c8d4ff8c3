/** What a revision's instances are made from, and how they are treated. What is undefined is left to the installation. */
export interface RevisionSpec {
  /** As it was asked for: a tag, a digest or an id. */
  readonly image: string;
  /** The image's id at the time of the deploy: a revision stays what it was when the tag moves on. */
  readonly imageId: string;
  readonly port: number | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly command: readonly string[] | undefined;
  readonly user: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly volumes: readonly Volume[];
  /** Networks to join besides the installation's own. */
  readonly networks: readonly string[];
  readonly memoryBytes: number | undefined;
  readonly cpus: number | undefined;
  readonly pids: number | undefined;
  readonly hardening: 'baseline' | 'restricted' | 'off' | undefined;
  /** Single parts of the hardening that are given up, by name. */
  readonly relaxations: readonly string[];
  readonly readiness: ReadinessSpec | undefined;
  readonly readyTimeoutMs: number | undefined;
  readonly responseTimeoutMs: number | undefined;
  readonly stopGraceMs: number | undefined;
  /** Idle → paused; `never`. */
  readonly pauseAfterMs: number | 'never' | undefined;
  /** Idle → stopped and removed; `never`. */
  readonly stopAfterMs: number | 'never' | undefined;
  /** `replace`: it never runs beside another revision of the service that replaces, too. Nothing: `overlap`. */
  readonly rollout?: 'replace' | 'overlap' | undefined;
}

/** A named volume, or a folder of the host. */
export interface Volume {
  /** A volume's name, or an absolute path. */
  readonly source: string;
  /** Where the container finds it. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** How to tell that an instance may get its first request. */
export interface ReadinessSpec {
  readonly kind: 'http' | 'tcp';
  readonly path: string | undefined;
  /** Which statuses count, as numbers or inclusive ranges. Nothing: as it is for a path, or without one. */
  readonly statuses?: readonly (number | readonly [from: number, to: number])[] | undefined;
}
