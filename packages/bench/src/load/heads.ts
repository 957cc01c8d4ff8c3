import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * Heads of requests. Paths differ from request to request, so that no proxy gains by having seen the same head before.
 */

/** How many paths there are: `/000` to `/fff`. */
const PATHS = 16 ** 3;
const LEAST = 'Host: bench.t\r\n';
/** What a browser sends, to make 740 bytes in all. */
const BROWSER = `${LEAST}${[
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
].join('\r\n')}\r\n`;

/** The fields of the two kinds of heads, by their length in bytes, request line included. */
export const HEADS = { 36: LEAST, 740: BROWSER } as const;
export type HeadBytes = keyof typeof HEADS;

/** Heads with these fields and all paths. */
export function heads(bytes: HeadBytes): readonly string[] {
  return Array.from(
    { length: PATHS },
    (_, i) => `GET /${i.toString(16).padStart(3, '0')} HTTP/1.1\r\n${HEADS[bytes]}\r\n`,
  );
}

/** A script with which wrk sends these heads, one after the other. */
export function wrkScript(bytes: HeadBytes): string {
  return `local fields = ${JSON.stringify(HEADS[bytes])}
local requests, last = {}, 0
init = function()
  for i = 0, ${PATHS - 1} do requests[i] = string.format("GET /%03x HTTP/1.1\\r\\n", i) .. fields .. "\\r\\n" end
end
request = function()
  last = (last + 1) % ${PATHS}
  return requests[last]
end
`;
}

/** The same as a file, for wrk. */
export function scriptOf(directory: string, bytes: HeadBytes): string {
  const path = join(directory, `heads-${bytes}.lua`);
  writeFileSync(path, wrkScript(bytes));
  return path;
}
