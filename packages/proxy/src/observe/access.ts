/** One line of the access log. */
export interface Access {
  readonly requestId: string;
  readonly method: string;
  readonly host: string | undefined;
  readonly path: string;
  readonly service: string | undefined;
  readonly revision: string | undefined;
  readonly status: number;
  /** In milliseconds. */
  readonly durationMs: number;
  /** Undefined if an instance was ready. */
  readonly waitedFor: 'cold' | 'resume' | undefined;
  /** Why the answer is not the instance's own or incomplete; undefined if it is not. */
  readonly error: unknown;
}
