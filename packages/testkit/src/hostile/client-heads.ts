/** The first bytes that a real client sends for a request. */
export interface ClientHead {
  readonly client: string;
  readonly version: string;
  /**
   * `captured`: from the program itself, as Debian 12 has it, by a listener that writes down what comes (ports were taken
   * out of `Host`, `Origin` and `Referer`). `written`: after public documentation and reports of issues,
   * since Debian has no such program.
   */
  readonly source: 'captured' | 'written';
  readonly bytes: string;
}

const captured = (client: string, version: string, text: string): ClientHead => ({
  client,
  version,
  source: 'captured',
  bytes: text.slice(1).replaceAll('\n', '\r\n'),
});
const written = (client: string, version: string, text: string): ClientHead => ({
  ...captured(client, version, text),
  source: 'written',
});

/** Heads of real clients, with bodies where they send one. */
export const clientHeads: readonly ClientHead[] = [
  captured(
    'curl',
    '7.88.1',
    `
GET /a?b=1 HTTP/1.1
Host: raw.test
User-Agent: curl/7.88.1
Accept: */*

`,
  ),
  captured(
    'curl --http2',
    '7.88.1',
    `
GET / HTTP/1.1
Host: raw.test
User-Agent: curl/7.88.1
Accept: */*
Connection: Upgrade, HTTP2-Settings
Upgrade: h2c
HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA

`,
  ),
  captured(
    'curl -d',
    '7.88.1',
    `
POST /form HTTP/1.1
Host: raw.test
User-Agent: curl/7.88.1
Accept: */*
Content-Length: 7
Content-Type: application/x-www-form-urlencoded

a=1&b=2`,
  ),
  captured(
    'curl --http2 -d',
    '7.88.1',
    `
POST /form HTTP/1.1
Host: raw.test
User-Agent: curl/7.88.1
Accept: */*
Connection: Upgrade, HTTP2-Settings
Upgrade: h2c
HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA
Content-Length: 3
Content-Type: application/x-www-form-urlencoded

a=1`,
  ),
  captured(
    'curl -T -',
    '7.88.1',
    `
PUT /up HTTP/1.1
Host: raw.test
User-Agent: curl/7.88.1
Accept: */*
Transfer-Encoding: chunked
Expect: 100-continue

5
hello
0

`,
  ),
  captured(
    'curl -I',
    '7.88.1',
    `
HEAD /head HTTP/1.1
Host: raw.test
User-Agent: curl/7.88.1
Accept: */*

`,
  ),
  captured(
    'curl -0',
    '7.88.1',
    `
GET / HTTP/1.0
Host: raw.test
User-Agent: curl/7.88.1
Accept: */*

`,
  ),
  captured(
    'wget',
    '1.21.3',
    `
GET / HTTP/1.1
Host: raw.test
User-Agent: Wget/1.21.3
Accept: */*
Accept-Encoding: identity
Connection: Keep-Alive

`,
  ),
  captured(
    'wget --post-data',
    '1.21.3',
    `
POST /form HTTP/1.1
Host: raw.test
User-Agent: Wget/1.21.3
Accept: */*
Accept-Encoding: identity
Connection: Keep-Alive
Content-Type: application/x-www-form-urlencoded
Content-Length: 3

a=1`,
  ),
  captured(
    'git ls-remote',
    '2.39.5',
    `
GET /repo.git/info/refs?service=git-upload-pack HTTP/1.1
Host: raw.test
User-Agent: git/2.39.5
Accept: */*
Accept-Encoding: deflate, gzip, br, zstd
Accept-Language: C, *;q=0.9
Pragma: no-cache
Git-Protocol: version=2

`,
  ),
  captured(
    'docker version, ping',
    '28.2.2',
    `
HEAD /_ping HTTP/1.1
Host: raw.test
User-Agent: Docker-Client/28.2.2 (linux)

`,
  ),
  captured(
    'docker version',
    '28.2.2',
    `
GET /v1.24/version HTTP/1.1
Host: raw.test
User-Agent: Docker-Client/28.2.2 (linux)
Accept-Encoding: gzip

`,
  ),
  captured(
    'apt-get update',
    '2.6.1',
    `
GET /debian/dists/bookworm/InRelease HTTP/1.1
Host: raw.test
Cache-Control: max-age=0
Accept: text/*
User-Agent: Debian APT-HTTP/1.3 (2.6.1)

`,
  ),
  captured(
    'apt-get update, signature',
    '2.6.1',
    `
GET /debian/dists/bookworm/Release.gpg HTTP/1.1
Host: raw.test
User-Agent: Debian APT-HTTP/1.3 (2.6.1)

`,
  ),
  captured(
    'Python requests',
    '2.28.1',
    `
GET /requests HTTP/1.1
Host: raw.test
User-Agent: python-requests/2.28.1
Accept-Encoding: gzip, deflate
Accept: */*
Connection: keep-alive

`,
  ),
  captured(
    'Python requests, JSON',
    '2.28.1',
    `
POST /requests HTTP/1.1
Host: raw.test
User-Agent: python-requests/2.28.1
Accept-Encoding: gzip, deflate
Accept: */*
Connection: keep-alive
Content-Length: 8
Content-Type: application/json

{"a": 1}`,
  ),
  captured(
    'Python requests, stream',
    '2.28.1',
    `
POST /stream HTTP/1.1
Host: raw.test
User-Agent: python-requests/2.28.1
Accept-Encoding: gzip, deflate
Accept: */*
Connection: keep-alive
Transfer-Encoding: chunked

5
hello
5
world
0

`,
  ),
  captured(
    'Python httpx',
    '0.23.3',
    `
GET /httpx HTTP/1.1
Host: raw.test
Accept: */*
Accept-Encoding: gzip, deflate
Connection: keep-alive
User-Agent: python-httpx/0.23.3

`,
  ),
  captured(
    'Python httpx, form',
    '0.23.3',
    `
POST /httpx HTTP/1.1
Host: raw.test
Accept: */*
Accept-Encoding: gzip, deflate
Connection: keep-alive
User-Agent: python-httpx/0.23.3
Content-Length: 3
Content-Type: application/x-www-form-urlencoded

a=1`,
  ),
  captured(
    'Python httpx, stream',
    '0.23.3',
    `
POST /httpx-stream HTTP/1.1
Host: raw.test
Accept: */*
Accept-Encoding: gzip, deflate
Connection: keep-alive
User-Agent: python-httpx/0.23.3
Transfer-Encoding: chunked

5
hello
0

`,
  ),
  captured(
    'Python aiohttp',
    '3.8.4',
    `
GET /aiohttp HTTP/1.1
Host: raw.test
Accept: */*
Accept-Encoding: gzip, deflate
User-Agent: Python/3.11 aiohttp/3.8.4

`,
  ),
  captured(
    'Python aiohttp, JSON',
    '3.8.4',
    `
POST /aiohttp HTTP/1.1
Host: raw.test
Accept: */*
Accept-Encoding: gzip, deflate
User-Agent: Python/3.11 aiohttp/3.8.4
Content-Length: 8
Content-Type: application/json

{"a": 1}`,
  ),
  captured(
    'Python aiohttp, WebSocket',
    '3.8.4',
    `
GET /ws HTTP/1.1
Host: raw.test
Upgrade: websocket
Connection: upgrade
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: jB1J/O/6Yh+yAs2dMdjoug==
Accept: */*
Accept-Encoding: gzip, deflate
User-Agent: Python/3.11 aiohttp/3.8.4

`,
  ),
  captured(
    'Python urllib',
    '3.11',
    `
GET /urllib HTTP/1.1
Accept-Encoding: identity
Host: raw.test
User-Agent: Python-urllib/3.11
Connection: close

`,
  ),
  captured(
    'Go net/http',
    '1.19.8',
    `
GET /go HTTP/1.1
Host: raw.test
User-Agent: Go-http-client/1.1
Accept-Encoding: gzip

`,
  ),
  captured(
    'Go net/http, POST',
    '1.19.8',
    `
POST /go HTTP/1.1
Host: raw.test
User-Agent: Go-http-client/1.1
Content-Length: 5
Content-Type: text/plain
Accept-Encoding: gzip

hello`,
  ),
  captured(
    'Go net/http, stream',
    '1.19.8',
    `
POST /go-stream HTTP/1.1
Host: raw.test
User-Agent: Go-http-client/1.1
Transfer-Encoding: chunked
Content-Type: text/plain
Accept-Encoding: gzip

5
hello
0

`,
  ),
  captured(
    'Go net/http, Expect',
    '1.19.8',
    `
POST /go-expect HTTP/1.1
Host: raw.test
User-Agent: Go-http-client/1.1
Content-Length: 5
Expect: 100-continue
Accept-Encoding: gzip

hello`,
  ),
  captured(
    'libwww-perl',
    '6.68',
    `
GET /lwp HTTP/1.1
TE: deflate,gzip;q=0.3
Connection: TE, close
Host: raw.test
User-Agent: libwww-perl/6.68

`,
  ),
  captured(
    'libwww-perl, form',
    '6.68',
    `
POST /lwp HTTP/1.1
TE: deflate,gzip;q=0.3
Connection: TE, close
Host: raw.test
User-Agent: libwww-perl/6.68
Content-Length: 3
Content-Type: application/x-www-form-urlencoded

a=1`,
  ),
  captured(
    'Ruby Net::HTTP',
    '3.1',
    `
GET /ruby HTTP/1.1
Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3
Accept: */*
User-Agent: Ruby
Host: raw.test

`,
  ),
  captured(
    'Ruby Net::HTTP, form',
    '3.1',
    `
POST /ruby HTTP/1.1
Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3
Accept: */*
User-Agent: Ruby
Host: raw.test
Content-Type: application/x-www-form-urlencoded
Content-Length: 3

a=1`,
  ),
  captured(
    'PHP file_get_contents',
    '8.2.36',
    `
GET /php HTTP/1.1
Host: raw.test
Connection: close

`,
  ),
  captured(
    'ApacheBench -k',
    '2.3',
    `
GET /ab HTTP/1.0
Connection: Keep-Alive
Host: raw.test
User-Agent: ApacheBench/2.3
Accept: */*

`,
  ),
  captured(
    'Node fetch',
    '20.20.2',
    `
GET /fetch HTTP/1.1
host: raw.test
connection: keep-alive
accept: */*
accept-language: *
sec-fetch-mode: cors
user-agent: node
accept-encoding: gzip, deflate

`,
  ),
  captured(
    'Node fetch, POST',
    '20.20.2',
    `
POST /fetch HTTP/1.1
host: raw.test
connection: keep-alive
content-type: text/plain;charset=UTF-8
accept: */*
accept-language: *
sec-fetch-mode: cors
user-agent: node
accept-encoding: gzip, deflate
content-length: 5

hello`,
  ),
  captured(
    'Node fetch, stream',
    '20.20.2',
    `
POST /fetch-stream HTTP/1.1
host: raw.test
connection: keep-alive
accept: */*
accept-language: *
sec-fetch-mode: cors
user-agent: node
accept-encoding: gzip, deflate
transfer-encoding: chunked

5
hello
0

`,
  ),
  captured(
    'Node http',
    '20.20.2',
    `
GET /node-http HTTP/1.1
Host: raw.test
Connection: keep-alive

`,
  ),
  captured(
    'Node http, POST',
    '20.20.2',
    `
POST /node-http HTTP/1.1
Host: raw.test
Connection: keep-alive
Transfer-Encoding: chunked

5
hello
0

`,
  ),
  captured(
    'Java HttpClient',
    '17.0.15',
    `
GET /jdk HTTP/1.1
Connection: Upgrade, HTTP2-Settings
Content-Length: 0
Host: raw.test
HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA
Upgrade: h2c
User-Agent: Java-http-client/17.0.15

`,
  ),
  captured(
    'Java HttpClient, POST',
    '17.0.15',
    `
POST /jdk HTTP/1.1
Connection: Upgrade, HTTP2-Settings
Content-Length: 5
Host: raw.test
HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA
Upgrade: h2c
User-Agent: Java-http-client/17.0.15

hello`,
  ),
  captured(
    'Java HttpClient, stream',
    '17.0.15',
    `
POST /jdk-stream HTTP/1.1
Connection: Upgrade, HTTP2-Settings
Host: raw.test
HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA
Transfer-encoding: chunked
Upgrade: h2c
User-Agent: Java-http-client/17.0.15

5
hello
0

`,
  ),
  captured(
    'Java HttpURLConnection',
    '17.0.15',
    `
GET /urlconnection HTTP/1.1
User-Agent: Java/17.0.15
Host: raw.test
Accept: text/html, image/gif, image/jpeg, */*; q=0.2
Connection: keep-alive

`,
  ),
  captured(
    'Java HttpURLConnection, stream',
    '17.0.15',
    `
POST /urlconnection HTTP/1.1
User-Agent: Java/17.0.15
Host: raw.test
Accept: text/html, image/gif, image/jpeg, */*; q=0.2
Connection: keep-alive
Content-type: application/x-www-form-urlencoded
Transfer-Encoding: chunked

5
hello
0

`,
  ),
  captured(
    'Apache HttpClient 5',
    '5.2.1',
    `
GET /httpclient5 HTTP/1.1
Accept-Encoding: gzip, x-gzip, deflate
Host: raw.test
Connection: keep-alive
User-Agent: Apache-HttpClient/5.2.1 (Java/17.0.15)

`,
  ),
  captured(
    'Apache HttpClient 5, POST',
    '5.2.1',
    `
POST /httpclient5 HTTP/1.1
Accept-Encoding: gzip, x-gzip, deflate
Content-Length: 5
Content-Type: text/plain; charset=ISO-8859-1
Host: raw.test
Connection: keep-alive
User-Agent: Apache-HttpClient/5.2.1 (Java/17.0.15)

hello`,
  ),
  captured(
    'Apache HttpClient 4',
    '4.5.14',
    `
GET /httpclient4 HTTP/1.1
Host: raw.test
Connection: Keep-Alive
User-Agent: Apache-HttpClient/4.5.14 (Java/17.0.15)
Accept-Encoding: gzip,deflate

`,
  ),
  captured(
    'OkHttp',
    '3.13.1',
    `
GET /okhttp HTTP/1.1
Host: raw.test
Connection: Keep-Alive
Accept-Encoding: gzip
User-Agent: okhttp/3.13.1

`,
  ),
  captured(
    'Chromium, page',
    '156.0.8078.79',
    `
GET /page HTTP/1.1
Host: raw.test
Connection: keep-alive
sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"
sec-ch-ua-mobile: ?0
sec-ch-ua-platform: "Linux"
Upgrade-Insecure-Requests: 1
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/jxl,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7
Sec-Fetch-Site: none
Sec-Fetch-Mode: navigate
Sec-Fetch-User: ?1
Sec-Fetch-Dest: document
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9

`,
  ),
  captured(
    'Chromium, fetch',
    '156.0.8078.79',
    `
POST /json HTTP/1.1
Host: raw.test
Connection: keep-alive
Content-Length: 2
sec-ch-ua-platform: "Linux"
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36
sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"
content-type: application/json
sec-ch-ua-mobile: ?0
Accept: */*
Origin: http://raw.test
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: cors
Sec-Fetch-Dest: empty
Referer: http://raw.test/page
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9

{}`,
  ),
  captured(
    'Chromium, WebSocket',
    '156.0.8078.79',
    `
GET /ws HTTP/1.1
Host: raw.test
Connection: Upgrade
Pragma: no-cache
Cache-Control: no-cache
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36
Upgrade: websocket
Origin: http://raw.test
Sec-WebSocket-Version: 13
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9
Sec-WebSocket-Key: ugHOHF+qsI9NdkYkN31zkQ==
Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits

`,
  ),
  captured(
    'Firefox, page',
    '153.7.0esr',
    `
GET /page HTTP/1.1
Host: raw.test
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
Accept-Language: en-US,en;q=0.9
Accept-Encoding: gzip, deflate, br, zstd
Connection: keep-alive
Upgrade-Insecure-Requests: 1
Sec-Fetch-Dest: document
Sec-Fetch-Mode: navigate
Sec-Fetch-Site: none
Priority: u=0, i

`,
  ),
  captured(
    'Firefox, fetch',
    '153.7.0esr',
    `
POST /json HTTP/1.1
Host: raw.test
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0
Accept: */*
Accept-Language: en-US,en;q=0.9
Accept-Encoding: gzip, deflate, br, zstd
Referer: http://raw.test/page
content-type: application/json
Content-Length: 2
Origin: http://raw.test
Connection: keep-alive
Sec-Fetch-Dest: empty
Sec-Fetch-Mode: cors
Sec-Fetch-Site: same-origin
Priority: u=4

{}`,
  ),
  captured(
    'Firefox, WebSocket',
    '153.7.0esr',
    `
GET /ws HTTP/1.1
Host: raw.test
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0
Accept: */*
Accept-Language: en-US,en;q=0.9
Accept-Encoding: gzip, deflate, br, zstd
Sec-WebSocket-Version: 13
Origin: http://raw.test
Sec-WebSocket-Extensions: permessage-deflate
Sec-WebSocket-Key: eKIqU2YUsYnAekO4xca8Kg==
Connection: Upgrade
Sec-Fetch-Dest: empty
Sec-Fetch-Mode: websocket
Sec-Fetch-Site: same-origin
Pragma: no-cache
Cache-Control: no-cache
Upgrade: websocket

`,
  ),
  written(
    'Apache HttpClient 5',
    '5.4',
    `
GET /httpclient5 HTTP/1.1
Accept-Encoding: gzip, x-gzip, deflate
Host: raw.test
User-Agent: Apache-HttpClient/5.4 (Java/21.0.2)
Upgrade: TLS/1.2
Connection: Upgrade

`,
  ),
  written(
    'Apache HttpClient 5, POST',
    '5.4',
    `
POST /httpclient5 HTTP/1.1
Accept-Encoding: gzip, x-gzip, deflate
Content-Length: 5
Content-Type: text/plain; charset=ISO-8859-1
Host: raw.test
User-Agent: Apache-HttpClient/5.4 (Java/21.0.2)
Upgrade: TLS/1.2
Connection: Upgrade

hello`,
  ),
  written(
    '.NET HttpClient',
    '8',
    `
GET /dotnet HTTP/1.1
Host: raw.test

`,
  ),
  written(
    '.NET HttpClient, JSON',
    '8',
    `
POST /dotnet HTTP/1.1
Host: raw.test
Transfer-Encoding: chunked
Content-Type: application/json; charset=utf-8

7
{"a":1}
0

`,
  ),
  written(
    '.NET HttpClient, Expect',
    '8',
    `
POST /dotnet HTTP/1.1
Host: raw.test
traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00
Expect: 100-continue
Content-Type: text/plain; charset=utf-8
Content-Length: 5

hello`,
  ),
  written(
    'Safari, page',
    '17.6',
    `
GET /page HTTP/1.1
Host: raw.test
Upgrade-Insecure-Requests: 1
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8
User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15
Accept-Language: en-GB,en;q=0.9
Accept-Encoding: gzip, deflate
Connection: keep-alive

`,
  ),
  written(
    'Safari, WebSocket',
    '17.6',
    `
GET /ws HTTP/1.1
Host: raw.test
Origin: http://raw.test
Pragma: no-cache
Accept: */*
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Version: 13
Sec-WebSocket-Extensions: permessage-deflate
Cache-Control: no-cache
User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15
Connection: Upgrade
Upgrade: websocket

`,
  ),
];
