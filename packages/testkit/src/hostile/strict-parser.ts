/** A request as parsed strictly by RFC 9112. */
export interface StrictRequest {
  readonly line: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** The bytes are valid so far but incomplete. */
export class HalfRequestError extends Error {
  override readonly name = 'HalfRequestError';
}

const LINE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ (?:\/[\x21-\x7e\x80-\xff]*|\*) HTTP\/1\.1$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t\x20-\x7e\x80-\xff]*)$/;

/**
 * Parses a connection's bytes as complete, unambiguous requests.
 *
 * @throws {HalfRequestError} or an error that says what is ambiguous or malformed
 */
export function parseStrictly(bytes: string): StrictRequest[] {
  const requests: StrictRequest[] = [];
  let rest = bytes;
  while (rest !== '') {
    const [request, after] = takeRequest(rest);
    requests.push(request);
    rest = after;
  }
  return requests;
}

/** Parses the first request and returns it with the rest. @throws as `parseStrictly` */
export function takeRequest(bytes: string): [request: StrictRequest, rest: string] {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) throw new HalfRequestError(`half a head: ${JSON.stringify(bytes.slice(0, 200))}`);
  const [line = '', ...lines] = bytes.slice(0, end).split('\r\n');
  const rest = bytes.slice(end + 4);
  if (!LINE.test(line)) throw new Error(`request line ${JSON.stringify(line)}`);
  const headers = lines.map((header): [string, string] => {
    const [, name, value] = HEADER.exec(header) ?? [];
    if (name === undefined || value === undefined) throw new Error(`header ${JSON.stringify(header)}`);
    return [name.toLowerCase(), value];
  });
  const all = (name: string) => headers.filter(([one]) => one === name).map(([, value]) => value);
  if (all('host').length !== 1) throw new Error(`${all('host').length} Host headers`);
  if (headers.some(([name]) => /^(content_length|transfer_encoding|x_forwarded_\w+)$/.test(name)))
    throw new Error('a double with underscores');
  const [lengths, encodings] = [all('content-length'), all('transfer-encoding')];
  if (lengths.length + encodings.length > 1) throw new Error('framed twice');
  if (lengths[0] !== undefined) {
    if (!/^(0|[1-9]\d*)$/.test(lengths[0])) throw new Error(`Content-Length ${lengths[0]}`);
    const length = Number(lengths[0]);
    if (rest.length < length) throw new HalfRequestError('half a body');
    return [{ line, headers, body: rest.slice(0, length) }, rest.slice(length)];
  }
  if (encodings[0] !== undefined) {
    if (encodings[0].toLowerCase() !== 'chunked') throw new Error(`Transfer-Encoding ${encodings[0]}`);
    const [body, after] = takeChunks(rest);
    return [{ line, headers, body }, after];
  }
  return [{ line, headers, body: '' }, rest];
}

function takeChunks(bytes: string): [body: string, rest: string] {
  let rest = bytes;
  let body = '';
  for (;;) {
    if (/^[0-9a-fA-F]{0,8}\r?$/.test(rest)) throw new HalfRequestError('half a body');
    const [match, size] = /^([0-9a-fA-F]{1,8})\r\n/.exec(rest) ?? [];
    if (match === undefined || size === undefined)
      throw new Error(`chunk ${JSON.stringify(rest.slice(0, 40))}`);
    rest = rest.slice(match.length);
    const length = Number.parseInt(size, 16);
    if (rest.length < length + 2) throw new HalfRequestError('half a body');
    if (length === 0) {
      if (!rest.startsWith('\r\n')) throw new Error('trailers, or no end');
      return [body, rest.slice(2)];
    }
    body += rest.slice(0, length);
    if (rest.slice(length, length + 2) !== '\r\n') throw new Error('a chunk without its end');
    rest = rest.slice(length + 2);
  }
}
