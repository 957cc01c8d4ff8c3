/** The code of an error that has one. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Why something failed, in the words of answers, events and metrics: `START_FAILED` → `start-failed`. */
export function reasonOf(error: unknown): string {
  return codeOf(error)?.toLowerCase().replaceAll('_', '-') ?? 'unknown';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
