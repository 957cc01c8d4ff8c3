/** How often each system call was made, in the summary of `strace -c`. */
export function straceCounts(summary: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const line of summary.split('\n')) {
    // % time, seconds, usecs/call, calls, errors (may be blank), syscall
    const [, calls, name] = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/.exec(line) ?? [];
    if (name !== undefined && name !== 'total') counts.set(name, Number(calls));
  }
  return counts;
}
