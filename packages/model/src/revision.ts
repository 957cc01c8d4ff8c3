/** What an instance is started from. */
export interface InstanceSpec {
  readonly service: string;
  readonly revision: string;
  readonly image: string;
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of the image's own. */
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
  readonly volumes?: readonly {
    readonly source: string;
    readonly target: string;
    readonly readOnly: boolean;
  }[];
  /** To join besides the installation's own. */
  readonly networks?: readonly string[];
  readonly memoryBytes?: number;
  readonly cpus?: number;
  readonly pids?: number;
  readonly hardening?: 'baseline' | 'restricted' | 'off';
  /** Single parts of the hardening that are given up, by name. */
  readonly relaxations?: readonly string[];
}

/** What is known of a spec before anything is started from it. */
export type PartialSpec = { readonly [Option in keyof InstanceSpec]?: InstanceSpec[Option] | undefined };

/** How to tell that an instance may get its first request. */
export type Check =
  | {
      readonly kind: 'http';
      readonly path?: string;
      readonly method?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly statuses?: readonly (number | readonly [from: number, to: number])[];
    }
  | { readonly kind: 'tcp' };

/** One immutable version of a service. */
export interface Revision {
  readonly service: string;
  readonly id: string;
  readonly spec: InstanceSpec;
  readonly readiness: { readonly check: Check; readonly timeoutMs: number };
  /** What happens after how much idleness; nothing stands for never. In milliseconds. */
  readonly idle: { readonly pauseAfterMs: number | undefined; readonly stopAfterMs: number | undefined };
  /** From SIGTERM to SIGKILL, in milliseconds. */
  readonly stopGraceMs: number;
  /**
   * `replace`: never beside another instance of a revision of the service that replaces, too, since they write the same
   * volumes. Else they overlap.
   */
  readonly rollout?: 'replace' | 'overlap';
  /** How long it may take to begin an answer, if not as long as all others. In milliseconds. */
  readonly responseTimeoutMs?: number | undefined;
  /** Values that must appear in no log, event or error. */
  readonly secrets?: readonly string[];
}
