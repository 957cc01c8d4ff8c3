import type { Attack } from './attack.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n';
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: raw.test\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const H2C = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n';
const TLS = 'Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n';

const ask = (headers: string, rest = '', line = 'GET / HTTP/1.1') =>
  `${line}\r\nHost: raw.test\r\n${headers}\r\n${rest}`;
const webSocket = (headers = '', rest = '', line = 'GET / HTTP/1.1') =>
  ask(`Connection: Upgrade\r\nUpgrade: websocket\r\n${KEY}${headers}`, rest, line);
const own = (rest = '') => ask('Connection: upgrade\r\nUpgrade: own/1\r\n', rest);
const switching = (protocol = 'websocket', accept = '{accept}') =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;

/** Requests for another protocol or a tunnel, and requests that end a connection. */
export const upgradeCorpus: readonly Attack[] = Object.entries({
  CONNECT: { bytes: 'CONNECT raw.test:443 HTTP/1.1\r\nHost: raw.test:443\r\n\r\n' },
  'CONNECT without Host': { bytes: 'CONNECT a:1 HTTP/1.1\r\n\r\n' },
  'CONNECT, HTTP/1.0': { bytes: 'CONNECT a:1 HTTP/1.0\r\n\r\n' },
  'CONNECT to nowhere': { bytes: 'CONNECT / HTTP/1.1\r\nHost: raw.test\r\n\r\n' },
  'CONNECT and bytes': { bytes: `CONNECT raw.test:80 HTTP/1.1\r\nHost: raw.test\r\n\r\n${SMUGGLED}` },
  'CONNECT with a length': {
    bytes: `CONNECT raw.test:80 HTTP/1.1\r\nHost: raw.test\r\nContent-Length: 44\r\n\r\n${SMUGGLED}`,
  },
  'CONNECT with chunks': {
    bytes: `CONNECT raw.test:80 HTTP/1.1\r\nHost: raw.test\r\n${CHUNKED}\r\n0\r\n\r\n${SMUGGLED}`,
  },
  'CONNECT and an upgrade': {
    bytes: `CONNECT raw.test:80 HTTP/1.1\r\nHost: raw.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  },
  'WebSocket, taken': { bytes: webSocket(), answer: switching() },
  'WebSocket, taken, early bytes': {
    bytes: webSocket('', SMUGGLED),
    answer: `${switching()}HTTP/1.1 200 OK\r\n\r\n`,
  },
  'WebSocket, taken and ended': { bytes: webSocket(), answer: `${switching()}bye`, ends: true },
  'WebSocket, a wrong accept': { bytes: webSocket(), answer: switching('websocket', 'bm90IHRoZSByaWdodA==') },
  'WebSocket, another protocol': { bytes: webSocket(), answer: switching('other') },
  'WebSocket, no protocol': {
    bytes: webSocket(),
    answer: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n',
  },
  'WebSocket, echoed': { bytes: webSocket() },
  'WebSocket, 403': { bytes: webSocket(), answer: 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno' },
  'WebSocket, 403, bytes behind': {
    bytes: webSocket('', SMUGGLED),
    answer: 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno',
  },
  'WebSocket, 426 in chunks': {
    bytes: webSocket(),
    answer: `HTTP/1.1 426 Upgrade Required\r\n${CHUNKED}\r\n2\r\nno\r\n0\r\n\r\n`,
  },
  'WebSocket, 404 to the end': {
    bytes: webSocket(),
    answer: 'HTTP/1.1 404 Not Found\r\n\r\nno',
    ends: true,
  },
  'WebSocket, half a 403': {
    bytes: webSocket(),
    answer: 'HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nno',
    ends: true,
  },
  'WebSocket, 304': { bytes: webSocket(), answer: 'HTTP/1.1 304 Not Modified\r\n\r\n' },
  'WebSocket, hung up': { bytes: webSocket(), answer: '', ends: true },
  'WebSocket, garbage': { bytes: webSocket(), answer: 'SSH-2.0-OpenSSH\r\n', ends: true },
  'WebSocket, silence': { bytes: webSocket(), answer: '' },
  'WebSocket, hints first': {
    bytes: webSocket(),
    answer: `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${switching()}`,
  },
  'WebSocket with a length': { bytes: webSocket('Content-Length: 44\r\n', SMUGGLED), answer: OK },
  'WebSocket with chunks': { bytes: webSocket(CHUNKED, `0\r\n\r\n${SMUGGLED}`), answer: OK },
  'WebSocket with both framings': {
    bytes: webSocket(`Content-Length: 5\r\n${CHUNKED}`, `0\r\n\r\n${SMUGGLED}`),
  },
  'WebSocket, POST': { bytes: webSocket('', '', 'POST / HTTP/1.1'), answer: OK },
  'WebSocket, HEAD': { bytes: webSocket('', '', 'HEAD / HTTP/1.1') },
  'WebSocket, HTTP/1.0': { bytes: webSocket('', '', 'GET / HTTP/1.0') },
  'WebSocket, close': {
    bytes: `GET / HTTP/1.1\r\nHost: raw.test\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n${KEY}\r\n`,
  },
  'WebSocket, Expect': { bytes: webSocket('Expect: 100-continue\r\n'), answer: switching() },
  'WebSocket to nobody': { bytes: webSocket().replace('raw.test', 'nobody.test') },
  'WebSocket to nobody, bytes behind': { bytes: webSocket('', SMUGGLED).replace('raw.test', 'nobody.test') },
  'WebSocket without Host': { bytes: webSocket().replace('Host: raw.test\r\n', '') },
  'WebSocket, two Hosts': { bytes: webSocket('Host: other.test\r\n', SMUGGLED) },
  'WebSocket, a long target': { bytes: webSocket('', '', `GET /${'a'.repeat(9_000)} HTTP/1.1`) },
  'WebSocket, many headers': { bytes: webSocket('X-A: 1\r\n'.repeat(300)) },
  'WebSocket, OPTIONS *': { bytes: webSocket('', '', 'OPTIONS * HTTP/1.1') },
  'WebSocket twice': { bytes: webSocket() + webSocket(), answer: switching() },
  'WebSocket refused twice': { bytes: webSocket() + webSocket(), answer: OK },
  'own protocol, taken': { bytes: own('early'), answer: switching('own/1') },
  'own protocol, echoed': { bytes: own() },
  'own protocol, 500': { bytes: own(), answer: 'HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno' },
  h2c: { bytes: ask(H2C) },
  'h2c with a length': { bytes: ask(`${H2C}Content-Length: 5\r\n`, 'hello', 'POST / HTTP/1.1') },
  'h2c with chunks': { bytes: ask(H2C + CHUNKED, '5\r\nhello\r\n0\r\n\r\n', 'POST / HTTP/1.1') },
  'h2c and its preface': { bytes: ask(H2C, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') },
  'h2c and a request': { bytes: ask(H2C, SMUGGLED) },
  'h2c, switched to': { bytes: ask(H2C), answer: switching('h2c') },
  'h2c, websocket': { bytes: ask('Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n') },
  'HTTP/2 by its preface': { bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  'TLS/1.2': { bytes: ask(TLS) },
  'TLS/1.2 with a length': { bytes: ask(`${TLS}Content-Length: 5\r\n`, 'hello', 'POST / HTTP/1.1') },
  'TLS/1.2 with chunks': { bytes: ask(TLS + CHUNKED, '5\r\nhello\r\n0\r\n\r\n', 'PUT / HTTP/1.1') },
  'TLS/1.2, OPTIONS *': { bytes: ask(TLS, '', 'OPTIONS * HTTP/1.1') },
  'TLS itself': { bytes: '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' },
  'Upgrade without Connection': { bytes: ask(`Upgrade: websocket\r\n${KEY}`) },
  'Connection without Upgrade': { bytes: ask('Connection: Upgrade\r\n') },
  'an empty Upgrade': { bytes: ask('Connection: Upgrade\r\nUpgrade:\r\n') },
  'an Upgrade of nonsense': { bytes: ask('Connection: Upgrade\r\nUpgrade: ,\x80, /\r\n') },
  'OPTIONS *': { bytes: 'OPTIONS * HTTP/1.1\r\nHost: raw.test\r\n\r\n' },
  'OPTIONS * and CONNECT': {
    bytes: 'OPTIONS * HTTP/1.1\r\nHost: raw.test\r\n\r\nCONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
  },
  'close and a request': { bytes: ask('Connection: close\r\n', SMUGGLED) },
  'close and garbage': { bytes: ask('Connection: close\r\n', '\x01\x02\r\n\r\n') },
  'close, with a length, and a request': {
    bytes: ask('Connection: close\r\nContent-Length: 5\r\n', `hello${SMUGGLED}`, 'POST / HTTP/1.1'),
  },
  'close and CONNECT': {
    bytes: ask('Connection: close\r\n', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n'),
  },
  'close and an upgrade': { bytes: ask('Connection: close\r\n', webSocket()) },
  'HTTP/1.0 and a request': { bytes: ask('', SMUGGLED, 'GET / HTTP/1.0') },
  'HTTP/1.0, kept, and a request': { bytes: ask('Connection: keep-alive\r\n', SMUGGLED, 'GET / HTTP/1.0') },
  'HTTP/1.0, kept and closed': {
    bytes: ask('Connection: keep-alive\r\nConnection: close\r\n', SMUGGLED, 'GET / HTTP/1.0'),
  },
  'a request and garbage': { bytes: ask('', '\x01\x02\r\n\r\n') },
  'a POST and garbage': { bytes: ask('Content-Length: 5\r\n', 'hello\x01\x02', 'POST / HTTP/1.1') },
  'a request and half a one': { bytes: ask('', 'GET / HT') },
  'Expect, and the body': {
    bytes: ask('Expect: 100-continue\r\nContent-Length: 5\r\n', 'hello', 'POST / HTTP/1.1'),
  },
  'Expect, and no body yet': {
    bytes: ask('Expect: 100-continue\r\nContent-Length: 5\r\n', '', 'POST / HTTP/1.1'),
  },
  'Expect, unmet, and the body': {
    bytes: ask('Expect: miracles\r\nContent-Length: 5\r\n', 'hello', 'POST / HTTP/1.1'),
  },
  'Expect, unmet, and CONNECT': {
    bytes: `${ask('Expect: miracles\r\n')}CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n`,
  },
  'Expect, to nobody, and a request as the body': {
    bytes: ask('Expect: 100-continue\r\nContent-Length: 44\r\n', SMUGGLED, 'POST / HTTP/1.1').replace(
      'raw.test',
      'nobody.test',
    ),
  },
  'to nobody, and a request': { bytes: ask('', SMUGGLED).replace('raw.test', 'nobody.test') },
  'POST and GET': {
    bytes: ask('Content-Length: 5\r\n', `hello${SMUGGLED.replace('smuggled', 'second')}`, 'POST / HTTP/1.1'),
  },
  'hints, and an answer': {
    bytes: ask(''),
    answer: `HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n${OK}`,
  },
  'an answer that is broken off': {
    bytes: ask('', SMUGGLED),
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok',
    ends: true,
  },
}).map(([name, rest]) => ({ name, ...rest }));
