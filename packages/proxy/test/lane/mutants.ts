import { mutate } from '@cless/testkit';

/** Lines that mean something to one of the parsers, or to the lane. */
const LINES = [
  'X-A: 1',
  'X-A:',
  'X-A:\t1',
  'X-A: a\tb  c',
  'x_a: 1',
  'X-A: 1 ',
  'Host: b',
  'Via: 1.1 a',
  'Date: Tue, 24 Nov 2026 09:00:00 GMT',
  'Cookie: a=b; c="d\xe9"',
  'Set-Cookie: a=b',
  'X-Real-IP: 10.0.0.1',
  'X-Forwarded-For: 10.0.0.1',
  'X-Forwarded-Host: b',
  'X-Request-Id: 7',
  'Forwarded: for=a',
  'Max-Forwards: 3',
  'Keep-Alive: timeout=5',
  'Connection: keep-alive',
  'Connection: Keep-Alive',
  'Connection: close',
  'Connection: upgrade',
  'Proxy-Connection: keep-alive',
  'Proxy-Connection: close',
  'Upgrade: h2c',
  'HTTP2-Settings: AAMA',
  'Content-Length: 0',
  'Content-Length: 5',
  'content-length:5',
  'Content-Length: 05',
  'Transfer-Encoding: chunked',
  'transfer-encoding: Chunked',
  'Transfer-Encoding: identity',
  'Expect: 100-continue',
  'TE: trailers',
  'Trailer: X-Sum',
  'Content-Disposition: attachment; filename=\xe9',
];
const NAMES = [
  'X-A',
  'accept',
  'COOKIE',
  'Via',
  'Referer',
  'X-Forwarded-Proto',
  'Set-Cookie',
  "!#$%&'*+-.^`|~0",
  'te',
  'Hosts',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'get', 'QUERY'];
const SPACES = ['', ' ', '  ', '\t', ' \t '];
/** Of the mutants, how many are mutated by changes that leave next to nothing valid. */
const ROUGH = 0.25;

/**
 * Changes a message a little. Most changes are to values, targets, names and bodies, so that many mutants are still
 * messages, and it is seen whether they are read in the same way; the others are those of `mutate`.
 */
export function mutantOf(message: string, random: () => number): string {
  if (random() < ROUGH) return mutate(message, random);
  let mutant = message;
  for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) mutant = change(mutant, random);
  return mutant;
}

function change(message: string, random: () => number): string {
  const below = (limit: number) => Math.floor(random() * limit);
  const end = message.indexOf('\r\n\r\n');
  if (end === -1 || end === message.indexOf('\r\n')) return mutate(message, random);
  const body = message.slice(end + 4);
  const [line = '', ...fields] = message.slice(0, end).split('\r\n');
  const at = below(fields.length);
  const field = fields[at] ?? '';
  const colon = field.indexOf(':');
  const head = (changed: readonly string[], first = line) =>
    `${[first, ...changed].join('\r\n')}\r\n\r\n${body}`;
  switch (below(13)) {
    case 0: // a byte of a value
    case 1:
      return head(
        fields.with(at, replaceByte(field, colon + 1 + below(field.length - colon), anyText(random))),
      );
    case 2: // any byte of a value
      return head(fields.with(at, replaceByte(field, colon + 1 + below(field.length - colon), below(256))));
    case 3: // a byte of the target, or of the status line
      return head(fields, replaceByte(line, 5 + below(line.length - 5), 0x21 + below(0x5e)));
    case 4: // the case of a letter in a name
      return head(fields.with(at, flipCase(field, below(Math.max(0, colon)))));
    case 5:
      return head(fields.toSpliced(at, 0, LINES[below(LINES.length)] ?? ''));
    case 6: // a line twice
      return head(fields.toSpliced(below(fields.length + 1), 0, field));
    case 7:
      return head(fields.toSpliced(at, 1));
    case 8: // the space after the colon
      return head(
        fields.with(
          at,
          `${field.slice(0, colon + 1)}${SPACES[below(SPACES.length)]}${field.slice(colon + 1).trim()}`,
        ),
      );
    case 9: // new fields
    case 10:
    case 11: {
      const value = Array.from({ length: below(20) }, () => String.fromCharCode(anyText(random))).join('');
      return head(
        fields.toSpliced(
          at,
          0,
          `${NAMES[below(NAMES.length)]}:${SPACES[below(SPACES.length)]}${value.trim()}`,
        ),
      );
    }
    default: // the method, or the body
      if (random() < 0.3) return head(fields, line.replace(/^[A-Z]+ /, `${METHODS[below(METHODS.length)]} `));
      return `${message.slice(0, end + 4)}${random() < 0.5 ? body.slice(0, below(body.length + 1)) : mutate(body, random)}`;
  }
}

/** A byte that a value may have. */
function anyText(random: () => number): number {
  const byte = 0x20 + Math.floor(random() * 0xe0);
  return byte === 0x7f ? 0x09 : byte;
}

function replaceByte(text: string, at: number, byte: number): string {
  return text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1);
}

function flipCase(text: string, at: number): string {
  const letter = text.charAt(at);
  const flipped = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
  return text.slice(0, at) + flipped + text.slice(at + 1);
}
