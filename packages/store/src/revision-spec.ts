/**
 * What a revision's instances are made from and how they are treated. The installation's default applies to what is
 * undefined.
 */
export interface RevisionSpec {
  /** The image as it was asked for: a tag, a digest or an id. */
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
  /** Names of the parts of the hardening that are turned off. */
  readonly relaxations: readonly string[];
  readonly readiness: ReadinessSpec | undefined;
  readonly readyTimeoutMs: number | undefined;
  readonly responseTimeoutMs: number | undefined;
  readonly stopGraceMs: number | undefined;
  /** Idle → paused; `never`. */
  readonly pauseAfterMs: number | 'never' | undefined;
  /** Idle → stopped and removed; `never`. */
  readonly stopAfterMs: number | 'never' | undefined;
  /** `replace`: it never runs at the same time as another `replace` revision of the service. Default `overlap`. */
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

/** How to find out that an instance may get its first request. */
export interface ReadinessSpec {
  readonly kind: 'http' | 'tcp';
  readonly path: string | undefined;
  /**
   * The statuses that count as ready, as numbers or inclusive ranges. Default: 200 to 399 if there is a path, else
   * any below 500.
   */
  readonly statuses?: readonly (number | readonly [from: number, to: number])[] | undefined;
}
