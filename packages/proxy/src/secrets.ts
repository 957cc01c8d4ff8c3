/** Shorter ones are not searched for: `1` is in every line. */
const MIN_LENGTH = 4;

/** The text without these values: what an app prints of its secrets goes no further than its own log. */
export function conceal(text: string, secrets: readonly string[]): string {
  let concealed = text;
  for (const secret of secrets) {
    if (secret.length >= MIN_LENGTH) concealed = concealed.replaceAll(secret, '[secret]');
  }
  return concealed;
}
