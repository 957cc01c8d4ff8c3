/** One attempt to make two parsers read a request differently. */
export interface SmugglingInput {
  readonly name: string;
  readonly bytes: string;
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: raw.test\r\n\r\n';
const NAMED: Readonly<Record<string, string>> = {
  '\0': '␀',
  '\t': '⇥',
  '\n': '␊',
  '\r': '␍',
  '\x0b': '␋',
  '\x0c': '␌',
  ' ': '␠',
};

const shown = (text: string) => Array.from(text, (one) => NAMED[one] ?? one).join('');

function request(headers: string, body = SMUGGLED, line = 'POST / HTTP/1.1'): string {
  return `${line}\r\nHost: raw.test\r\n${headers}\r\n\r\n${body}`;
}

function chunked(body: string): string {
  return `POST / HTTP/1.1\r\nHost: raw.test\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
}

function* inputs(): Generator<[group: string, variant: string, bytes: string]> {
  for (const value of [
    '+5',
    '-5',
    '05',
    '010',
    '0x5',
    '5,5',
    '5, 5',
    '5;',
    '5.0',
    '1e1',
    '',
    ' ',
    '5 5',
    '5\x0b',
    '\x0b5',
    '5\0',
    '\xb2',
    '99999999999999999999',
    '18446744073709551617',
    'five',
  ]) {
    for (const method of ['GET', 'POST'])
      yield [
        'Content-Length',
        `${method} ${value}`,
        request(`Content-Length: ${value}`, 'hello', `${method} / HTTP/1.1`),
      ];
  }
  for (const [first, second] of [
    ['5', '5'],
    ['5', '6'],
    ['0', '44'],
    ['44', '0'],
    ['5', ''],
    ['5', '+5'],
  ]) {
    for (const name of ['Content-Length', 'content-length'])
      yield [
        'two lengths',
        `${first} ${name} ${second}`,
        request(`Content-Length: ${first}\r\n${name}: ${second}`, 'hello'),
      ];
  }
  const encodings = [
    'chunked, chunked',
    'xchunked',
    'chunkedx',
    '\tchunked',
    'chunked\t',
    'chunked;q=1',
    'identity',
    'gzip, chunked',
    'chunked, gzip',
    ',chunked',
    'chunked,',
    '"chunked"',
    'CHUNKED',
    'chu\0nked',
    'chunked\x0b',
    '\x0bchunked',
    'c hunked',
    'identity, chunked',
    ' ',
    "'chunked'",
    'chunked\x0c',
    'trailers',
  ];
  for (const value of encodings) {
    yield ['Transfer-Encoding', value, request(`Transfer-Encoding: ${value}`, `0\r\n\r\n${SMUGGLED}`)];
    yield [
      'Transfer-Encoding and length',
      value,
      request(`Content-Length: 4\r\nTransfer-Encoding: ${value}`, `0\r\n\r\n${SMUGGLED}`),
    ];
  }
  yield [
    'Transfer-Encoding',
    'twice',
    request('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', `0\r\n\r\n${SMUGGLED}`),
  ];
  yield [
    'Transfer-Encoding',
    'twice the same',
    request('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked', `0\r\n\r\n${SMUGGLED}`),
  ];
  for (const header of [
    'Content-Length : 44',
    'Content-Length\t: 44',
    ' Content-Length: 44',
    'Content-Length\0: 44',
    'Content-Length\x0b: 44',
    'Content Length: 44',
    'Content_Length: 44',
    'content_length: 0',
    'Transfer-Encoding : chunked',
    'Transfer-Encoding\t: chunked',
    ' Transfer-Encoding: chunked',
    'Transfer_Encoding: chunked',
    'Transfer-Encoding\0: chunked',
    'Transfer-Encoding\x0b: chunked',
    'Transfer-Encoding',
    'Content-Length',
    ': chunked',
    'X-A: 1\rContent-Length: 44',
    'X-A: 1\nContent-Length: 44',
    'X-A: \0',
    'X-A: a\x01b',
    '(): x',
    'X[]: 1',
    'Host_: other.test',
    'X_Forwarded_For: 6.6.6.6',
    'X-A: 1\r\r\nContent-Length: 44',
  ]) {
    yield ['header', header, request(header)];
  }
  for (const [variant, bytes] of Object.entries({
    'LF after the request line': 'GET / HTTP/1.1\nHost: raw.test\r\n\r\n',
    'LF after a header': 'GET / HTTP/1.1\r\nHost: raw.test\nX-A: 1\r\n\r\n',
    'LF only': 'GET / HTTP/1.1\nHost: raw.test\n\n',
    'LF at the end of the head': `GET / HTTP/1.1\r\nHost: raw.test\r\n\n${SMUGGLED}`,
    'CR only': 'GET / HTTP/1.1\rHost: raw.test\r\r',
    'CR CR LF': 'GET / HTTP/1.1\r\r\nHost: raw.test\r\r\n\r\r\n',
    'folded value': 'GET / HTTP/1.1\r\nHost: raw.test\r\nX-A: 1\r\n 2\r\n\r\n',
    'folded with a tab': 'GET / HTTP/1.1\r\nHost: raw.test\r\nX-A: 1\r\n\tContent-Length: 44\r\n\r\n',
    'folded length': request('Content-Length:\r\n 44'),
    'folded encoding': request('Transfer-Encoding:\r\n chunked', `0\r\n\r\n${SMUGGLED}`),
    'space before the first header': 'GET / HTTP/1.1\r\n Host: raw.test\r\n\r\n',
    'empty lines first': `\r\n\r\n${SMUGGLED.replace('smuggled', '')}`,
    'NUL in the line': 'GET /\0 HTTP/1.1\r\nHost: raw.test\r\n\r\n',
    'NUL first': '\0GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n',
    'CR in the target': 'GET /\rX HTTP/1.1\r\nHost: raw.test\r\n\r\n',
    'LF in a value': `GET / HTTP/1.1\r\nHost: raw.test\r\nX-A: b\nX-B: c\r\n\r\n`,
  }))
    yield ['lines', variant, bytes];
  for (const body of [
    '5;ext\r\nhello\r\n0\r\n\r\n',
    '5;a=b;c="d"\r\nhello\r\n0\r\n\r\n',
    `5;\n${'x'.repeat(3)}\r\nhello\r\n0\r\n\r\n`,
    '5;a\rb\r\nhello\r\n0\r\n\r\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
    '+5\r\nhello\r\n0\r\n\r\n',
    '-5\r\nhello\r\n0\r\n\r\n',
    ' 5\r\nhello\r\n0\r\n\r\n',
    '5 \r\nhello\r\n0\r\n\r\n',
    '\t5\r\nhello\r\n0\r\n\r\n',
    'g\r\nhello\r\n0\r\n\r\n',
    '\r\nhello\r\n0\r\n\r\n',
    '5\nhello\n0\n\n',
    '5\r\nhello\n0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    '5\r\nhelloX\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\n\n',
    '00000000000000000005\r\nhello\r\n0\r\n\r\n',
    'ffffffffffffffff\r\nhello\r\n0\r\n\r\n',
    '10000000000000005\r\nhello\r\n0\r\n\r\n',
    '5\rhello\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\r\nContent-Length: 44\r\n\r\n',
    '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\nHost: other.test\r\n\r\n',
    `5\r\nhello\r\n0\r\nX: 1\n\r\n${SMUGGLED}`,
    `0\r\n\r\n${SMUGGLED.replace('smuggled', '')}`,
    '5_0\r\nhello\r\n0\r\n\r\n',
    '٥\r\nhello\r\n0\r\n\r\n',
    '5\0\r\nhello\r\n0\r\n\r\n',
  ]) {
    yield ['chunks', shown(body.slice(0, 24)), chunked(Buffer.from(body, 'utf8').toString('latin1'))];
  }
  for (const target of [
    'http://raw.test/',
    'http://raw.test',
    'http://other.test/',
    'http://raw.test@other.test/',
    'http://user:pass@raw.test/',
    'http://raw.test:80/',
    'http://raw.test:99999/',
    'HTTP://RAW.TEST/',
    'http:///',
    'http://',
    'https://raw.test/',
    'ftp://raw.test/',
    'raw.test',
    'raw.test:80',
    '*',
    '//other.test/',
    '/a b',
    '/a\tb',
    '/#fragment',
    '/\\..\\',
    '/;x=1',
    '/%',
    '/%00',
    '/%0d%0aX-A:%201',
    '/\xff',
    '/\x7f',
    '?',
    '',
    '/\x1f',
    'http://raw.test\\@other.test/',
    'http://raw.test#@other.test/',
    'http://raw.test?@other.test/',
    '/ HTTP/1.1\r\nX-A: 1\r\n\r\nGET /smuggled',
  ]) {
    yield ['target', shown(target.slice(0, 40)), `GET ${target} HTTP/1.1\r\nHost: raw.test\r\n\r\n`];
  }
  for (const [variant, headers] of Object.entries({
    two: 'Host: raw.test\r\nHost: other.test',
    'two the same': 'Host: raw.test\r\nhost: raw.test',
    none: 'X-A: 1',
    empty: 'Host:',
    'a space': 'Host: raw.test other.test',
    'a comma': 'Host: raw.test, other.test',
    userinfo: 'Host: user@raw.test',
    'a path': 'Host: raw.test/x',
    'a query': 'Host: raw.test?x',
    'a port that is none': 'Host: raw.test:80:90',
    'a NUL': 'Host: raw.test\0.other.test',
    folded: 'Host: raw.test\r\n .other.test',
    'spelled with a space': 'Host : raw.test',
    'an underscore': 'Host: raw_test',
    'a tab': 'Host:\traw.test',
    'X-Host': 'Host: raw.test\r\nX-Forwarded-Host: other.test',
  }))
    yield ['Host', variant, `GET / HTTP/1.1\r\n${headers}\r\n\r\n`];
  for (const version of [
    'HTTP/1.2',
    'HTTP/2.0',
    'HTTP/3.0',
    'HTTP/0.9',
    'HTTP/1.10',
    'HTTP/01.1',
    'HTTP/1',
    'HTTP/1.1.1',
    'http/1.1',
    'ICE/1.0',
    'HTTP/1,1',
    'HTTP /1.1',
    'RTSP/1.0',
    '',
  ]) {
    yield ['version', version, `GET / ${version}\r\nHost: raw.test\r\n\r\n`];
  }
  yield [
    'version',
    '1.0 with chunks',
    `POST / HTTP/1.0\r\nHost: raw.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ];
  yield ['version', '1.0 without Host', 'GET / HTTP/1.0\r\n\r\n'];
  yield ['version', '0.9 simple request', 'GET /\r\n'];
  for (const method of [
    'get',
    'GET\0',
    'G ET',
    '(GET)',
    '"GET"',
    `${'G'.repeat(2000)}`,
    '',
    'GET\t',
    'PRI',
    'SOURCE',
    'GET,POST',
  ]) {
    yield ['method', shown(method.slice(0, 12)), `${method} / HTTP/1.1\r\nHost: raw.test\r\n\r\n`];
  }
  for (const value of [
    'Content-Length',
    'Host',
    'Transfer-Encoding',
    'close, Content-Length',
    'X-Forwarded-For',
    'Connection',
    'keep-alive, Host, Host',
    ',,',
    '\0',
  ]) {
    yield [
      'Connection',
      shown(value),
      `POST / HTTP/1.1\r\nHost: raw.test\r\nConnection: ${value}\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    ];
  }
  for (const method of ['DELETE', 'OPTIONS', 'GET', 'HEAD', 'TRACE']) {
    yield [
      'body of',
      method,
      `${method} / HTTP/1.1\r\nHost: raw.test\r\nTransfer-Encoding: chunked\r\n\r\n${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    ];
    yield [
      'length of',
      method,
      `${method} / HTTP/1.1\r\nHost: raw.test\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
    ];
  }
  yield [
    'upgrade',
    'with a body',
    `POST / HTTP/1.1\r\nHost: raw.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ];
  yield [
    'upgrade',
    'h2c',
    `GET / HTTP/1.1\r\nHost: raw.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n${SMUGGLED}`,
  ];
  yield [
    'upgrade',
    'in vain',
    `GET / HTTP/1.1\r\nHost: raw.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n${SMUGGLED}`,
  ];
  yield ['expect', 'something else', request('Expect: 200-ok\r\nContent-Length: 5', 'hello')];
  yield [
    'expect',
    'something else, and two codings',
    request('Expect: 200-ok\r\nTransfer-Encoding: gzip, chunked', `0\r\n\r\n${SMUGGLED}`),
  ];
  yield [
    'expect',
    'twice',
    request('Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5', 'hello'),
  ];
}

/** At least two hundred such attempts, each sent as it is over a new connection. */
export const smugglingCorpus: readonly SmugglingInput[] = [...inputs()].map(([group, variant, bytes]) => ({
  name: `${group}: ${shown(variant)}`,
  bytes,
}));

/** Is the request for `/smuggled` a separate one however the bytes are read? Names with `_` are not passed on. */
export function hidesNothing(bytes: string): boolean {
  const [head = '', ...rest] = bytes.split('\r\n\r\n');
  if (/^content-length: 0$/im.test(head) || !/content-length|transfer-encoding/i.test(head)) return true;
  return (
    /^transfer-encoding:[ \t]*chunked[ \t]*$/im.test(head) && !/content-length/i.test(head) && rest[0] === '0'
  );
}
