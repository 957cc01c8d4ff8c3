import type { HttpCheck as Answer, Endpoint } from '@cless/model';
import { Client, errors } from 'undici';

/** Ready when an HTTP request, which may be any, is answered with one of `statuses`. */
export interface HttpCheck extends Answer {
  /** Default `GET`. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const BELOW_500 = [[200, 499]] as const;
const GOOD = [[200, 399]] as const;

/**
 * Sends one request over a new connection. Resolves if the status means ready, rejects with the reason if not. The
 * connection is closed when it settles.
 *
 * @throws {TypeError} if such a request cannot be sent
 */
export async function checkHttp(endpoint: Endpoint, check: HttpCheck, signal: AbortSignal): Promise<void> {
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  const client = new Client(`http://${host}:${endpoint.port}`);
  try {
    const { statusCode, body } = await client.request({
      path: check.path ?? '/',
      method: check.method ?? 'GET',
      headers: { 'user-agent': 'cless-health', ...check.headers },
      reset: true,
      signal,
    });
    body.on('error', () => {}); // destroyed below; only the status matters
    if (!counts(statusCode, check.statuses ?? (check.path === undefined ? BELOW_500 : GOOD)))
      throw new Error(`status ${statusCode}`);
  } catch (error) {
    if (error instanceof errors.InvalidArgumentError) throw new TypeError(error.message, { cause: error });
    throw error;
  } finally {
    await client.destroy();
  }
}

function counts(status: number, allowed: NonNullable<HttpCheck['statuses']>): boolean {
  return allowed.some((one) =>
    typeof one === 'number' ? status === one : status >= one[0] && status <= one[1],
  );
}
