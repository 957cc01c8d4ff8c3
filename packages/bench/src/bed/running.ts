/** Somebody to measure. */
export interface Running {
  readonly name: string;
  readonly port: number;
  /** The process to measure; undefined if it is not of interest. */
  readonly pid: number | undefined;
}
