import { clientHeads, cutAnswers, hostileAnswers, smugglingCorpus } from '@cless/testkit';

/** The heads of the benchmark (`packages/bench/src/load/heads.ts`): the smallest, and one as of a browser. */
export const benchmarkHeads: readonly string[] = [
  'GET /7ff HTTP/1.1\r\nHost: bench.t\r\n\r\n',
  `GET /7ff HTTP/1.1\r\nHost: bench.t\r\n${[
    'Connection: keep-alive',
    'sec-ch-ua: "Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"',
    'sec-ch-ua-mobile: ?0',
    'sec-ch-ua-platform: "Linux"',
    'Upgrade-Insecure-Requests: 1',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    'Sec-Fetch-Site: same-origin',
    'Sec-Fetch-Mode: navigate',
    'Sec-Fetch-User: ?1',
    'Sec-Fetch-Dest: document',
    'Referer: http://bench.t/',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-GB,en;q=0.9',
    'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=necessary; lang=en-GB; width=1280x800',
  ].join('\r\n')}\r\n\r\n`,
];

export const requestSeeds: readonly string[] = [
  ...benchmarkHeads,
  'POST /a?b=c HTTP/1.1\r\nHost: raw.test\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello',
  'PUT /x HTTP/1.1\r\nHost: a.b:80\r\nConnection: keep-alive\r\nX-A: 1\r\nX-B:\t2 3\r\nCookie: a=b; c="d\xe9"\r\n\r\n',
  'HEAD /%41~;=x HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nReferer:\r\nUser-Agent: u\r\n\r\n',
  'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-Sum: 1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum:\t1 \t\r\nX-B: \r\n\r\n',
  ...clientHeads.map(({ bytes }) => bytes),
  ...smugglingCorpus.map(({ bytes }) => bytes),
];

/** As servers in use write them. */
export const serverAnswers: readonly string[] = [
  'HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Wed, 25 Nov 2026 09:00:00 GMT\r\nContent-Type: text/html\r\nContent-Length: 5\r\nLast-Modified: Tue, 24 Nov 2026 09:00:00 GMT\r\nConnection: keep-alive\r\nETag: "673f-264"\r\nAccept-Ranges: bytes\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: 7\r\nETag: W/"7-abc"\r\nDate: Wed, 25 Nov 2026 09:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n{"a":1}',
  'HTTP/1.1 200 OK\r\nDate: Wed, 25 Nov 2026 09:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Wed, 25 Nov 2026 09:00:00 GMT\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.0 200 OK\r\nServer: SimpleHTTP/0.6 Python/3.11.2\r\nDate: Wed, 25 Nov 2026 09:00:00 GMT\r\nContent-type: text/html; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.0 200 OK\r\n\r\nhello',
  'HTTP/1.1 200 \r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: 5\r\nDate: Wed, 25 Nov 2026 09:00:00 GMT\r\nKeep-Alive: timeout=60\r\nConnection: keep-alive\r\n\r\nhello',
  'HTTP/1.1 302 Found\r\nLocation: /login\r\nSet-Cookie: a=b; Path=/; HttpOnly\r\nSet-Cookie: c=d\r\nVary: Accept\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nETag: "a"\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot found',
  'HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename="a.txt"\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4;x="y"\r\n0123\r\n6\r\n456789\r\n0\r\nX-Sum: 1\r\n\r\n',
];

/** Longer ones are tried as they are, not mutated. */
const MAX_BYTES = 4_096;

export const answerSeeds: readonly string[] = [
  ...serverAnswers,
  ...hostileAnswers.filter(({ length }) => length <= MAX_BYTES),
  ...cutAnswers.filter(({ ending }) => ending === 'end').map(({ bytes }) => bytes),
];
