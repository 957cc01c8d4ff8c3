/** One figure, as it is shown. */
export interface Row {
  readonly what: string;
  readonly value: string;
  /** The figure to reach; undefined if there is none. */
  readonly target?: string;
  readonly reached?: boolean;
  /** The bar in a chart; undefined if it is in none. */
  readonly chart?: Bar;
}

export interface Bar {
  readonly title: string;
  readonly unit: string;
  readonly label: string;
  readonly amount: number;
  /** Which bar comes first. Default: the longest. */
  readonly best?: 'least';
}

export function verdict(reached: boolean | undefined): string {
  return reached === undefined ? '' : reached ? 'reached' : 'missed';
}
