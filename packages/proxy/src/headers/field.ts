/** RFC 9110 §5.6.2 */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 §5.5, and RFC 9112 §4: *( HTAB / SP / VCHAR / obs-text ) */
const TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Is it a valid header name? */
export function isName(name: string): boolean {
  return TOKEN.test(name);
}

/** Is it a valid header value or reason phrase? */
export function isText(value: string): boolean {
  return TEXT.test(value);
}
