/** Shorter values are not searched for: `1` is in every line. */
const MIN_LENGTH = 4;

/**
 * Removes secrets from a text, so that what an app prints of them stays in its own log. Each line of a multi-line
 * secret (a PEM key, JSON) counts as a secret too, since logs are read line by line; and so does the JSON-escaped
 * form of each.
 */
export function conceal(text: string, secrets: readonly string[]): string {
  let concealed = '';
  let end = 0;
  for (const [from, to] of findAll(text, new Set(secrets.flatMap(spellings)))) {
    if (from > end || concealed === '') concealed += `${text.slice(end, from)}[secret]`;
    end = Math.max(end, to);
  }
  return concealed + text.slice(end);
}

function spellings(secret: string): string[] {
  return [secret, ...secret.split(/[\r\n]+/).map((line) => line.trim())]
    .flatMap((one) => [one, JSON.stringify(one).slice(1, -1)])
    .filter(({ length }) => length >= MIN_LENGTH);
}

/** The positions of the values, in order. They may overlap. */
function findAll(text: string, values: Iterable<string>): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (const value of values) {
    for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1))
      found.push([at, at + value.length]);
  }
  return found.sort(([a], [b]) => a - b);
}
