/** How a container ended. */
export interface Exit {
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

/** "it exited with code 3", "it was killed: out of memory". */
export function describeExit({ exitCode, oomKilled }: Exit): string {
  return oomKilled ? 'it was killed: out of memory' : `it exited with code ${exitCode}`;
}

/** The engine reports an OOM kill of any process: a container that later exits with 0 did not end because of it. */
export function exitOf(exitCode: number, oomKilled: boolean): Exit {
  return { exitCode, oomKilled: oomKilled && exitCode !== 0 };
}
