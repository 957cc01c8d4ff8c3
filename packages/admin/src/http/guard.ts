import { Failure } from '@cless/model';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { MiddlewareHandler } from 'hono';
import { equalTokens } from './token.ts';

/*
 * Who may use the API. Loopback alone is no protection: a page in the user's browser can reach it.
 */

export interface GuardOptions {
  readonly token: string;
  /** Host names the API may be reached under, without ports. */
  readonly hosts: readonly string[];
  /** May anybody on this host read the metrics without the token? */
  readonly openMetrics: boolean;
}

const OPEN = new Set(['/healthz', '/readyz']);
/** Read-only paths where the token is also accepted as a password, which a browser asks for. */
const FOR_BROWSERS = new Set(['/docs', '/openapi.json']);

export function guard({ token, hosts, openMetrics }: GuardOptions): MiddlewareHandler {
  const allowed = new Set(hosts);
  return async (context, next) => {
    const { req } = context;
    const host = req.header('host') ?? '';
    if (!allowed.has(hostname(host))) {
      throw new Failure(
        'FORBIDDEN_HOST',
        `The admin API is not reached under this name; allowed are ${hosts.join(', ')} (CLESS_ADMIN_HOSTS names others).`,
      );
    }
    const origin = req.header('origin');
    if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
      throw new Failure('FORBIDDEN_ORIGIN', 'Pages of other origins may not ask the admin API.');
    }

    const isOpen = OPEN.has(req.path) || (openMetrics && req.path === '/metrics');
    if (!(isOpen && isLoopback(getConnInfo(context).remote.address)))
      authenticate(req.path, req.header('authorization'), token);

    if (['POST', 'PUT', 'PATCH'].includes(req.method)) {
      const type = req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
      if (type !== 'application/json') {
        throw new Failure('UNSUPPORTED_MEDIA_TYPE', 'Allowed is application/json.');
      }
    }
    await next();
  };
}

function authenticate(path: string, authorization: string | undefined, token: string): void {
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(authorization ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      if (equalTokens(credentials, token)) return;
      break;
    case 'basic': {
      const [, password = ''] =
        /^[^:]*:(.*)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? [];
      if (FOR_BROWSERS.has(path) && equalTokens(password, token)) return;
      break;
    }
  }
  throw new Failure(
    'UNAUTHORIZED',
    'A bearer token is needed: Authorization: Bearer TOKEN, with what is in admin-token in the state directory.',
  );
}

/** The `WWW-Authenticate` of a 401 (RFC 9110 §11.6.1). */
export function challenge(path: string): string {
  return FOR_BROWSERS.has(path) ? 'Basic realm="cless: the token is the password"' : 'Bearer realm="cless"';
}

/** A Host header without the port. */
function hostname(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '');
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(?:127\.|::1$|::ffff:127\.)/.test(address);
}
