/** Shorter ones are not searched for: `1` is in every line. */
const MIN_LENGTH = 4;

/**
 * The text without these values: what an app prints of its secrets goes no further than its own log. Of a secret of several
 * lines (a key in PEM, JSON) each line is one, too, since logs are read by the line; and each in the spelling of JSON.
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

/** Where they are, in order; they may overlap. */
function findAll(text: string, values: Iterable<string>): [from: number, to: number][] {
  const found: [number, number][] = [];
  for (const value of values) {
    for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1))
      found.push([at, at + value.length]);
  }
  return found.sort(([a], [b]) => a - b);
}
