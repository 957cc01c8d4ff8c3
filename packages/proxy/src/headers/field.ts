/** RFC 9110 §5.6.2 */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** RFC 9110 §5.5, and RFC 9112 §4: *( HTAB / SP / VCHAR / obs-text ) */
const TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

/** May it be the name of a header? */
export function isName(name: string): boolean {
  return TOKEN.test(name);
}

/** May it be the value of a header, or the reason of a status line? */
export function isText(value: string): boolean {
  return TEXT.test(value);
}
