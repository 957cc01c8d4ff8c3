/** Pseudo-random numbers from 0 to below 1, reproducible from a seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes a few changes to the bytes: flips, removes, doubles or inserts something that parsers care about. */
export function mutate(bytes: string, random: () => number): string {
  const spices = [
    '\0',
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    'chunked',
    '0',
    '-',
    '\xff',
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'HTTP/1.1',
    'x'.repeat(9_000),
  ];
  let mutated = bytes;
  const changes = 1 + Math.floor(random() * 4);
  for (let i = 0; i < changes; i++) {
    const at = Math.floor(random() * (mutated.length + 1));
    const dice = random();
    if (dice < 0.25)
      mutated =
        mutated.slice(0, at) + String.fromCharCode(Math.floor(random() * 256)) + mutated.slice(at + 1);
    else if (dice < 0.45) mutated = mutated.slice(0, at) + mutated.slice(at + Math.floor(random() * 8));
    else if (dice < 0.6) mutated = mutated.slice(0, at) + mutated.slice(Math.max(0, at - 16));
    else if (dice < 0.7) mutated = mutated.slice(0, at);
    else
      mutated =
        mutated.slice(0, at) + (spices[Math.floor(random() * spices.length)] ?? '') + mutated.slice(at);
  }
  return mutated;
}
