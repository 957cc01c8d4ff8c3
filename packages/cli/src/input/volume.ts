/** The form that {@link readVolume} reads, for error messages. */
export const VOLUME_FORM = 'SOURCE:TARGET or SOURCE:TARGET:ro';

/** Reads `data:/var/lib/x` or `data:/var/lib/x:ro`; undefined if it is neither. */
export function readVolume(text: string): { source: string; target: string; readOnly: boolean } | undefined {
  const [, source, target, mode] = /^([^:]+):([^:]+?)(?::(ro|rw))?$/.exec(text) ?? [];
  if (source === undefined || target === undefined) return undefined;
  return { source, target, readOnly: mode === 'ro' };
}
