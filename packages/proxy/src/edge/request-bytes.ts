/** The head of a request as parsed by Node's HTTP server. */
interface Head {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
}

/** The head of a request as bytes, to be parsed again. @param without headers to leave out */
export function headBytes({ method, url, httpVersion, rawHeaders }: Head, without?: RegExp): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (!without?.test(name)) lines.push(`${name}: ${rawHeaders[i + 1]}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}
