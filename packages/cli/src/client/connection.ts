import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '@cless/model';
import { AdminClient } from './client.ts';

const DEFAULT_URL = 'http://127.0.0.1:7070';

/** The options that say where the admin API is. */
export interface ConnectionOptions {
  readonly admin?: string | undefined;
  readonly token?: string | undefined;
  readonly stateDir?: string | undefined;
}

/**
 * Finds the admin API from the options, the environment (`CLESS_ADMIN_URL`, `CLESS_ADMIN_TOKEN`), or the state
 * directory of the proxy on this host. The token in the state directory is only ever sent to the address in the state
 * directory.
 *
 * @throws with code `USAGE` or `UNREACHABLE`, if there is no token
 */
export function connect(
  options: ConnectionOptions,
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): AdminClient {
  const url = options.admin ?? (env.CLESS_ADMIN_URL || undefined);
  const token = options.token ?? (env.CLESS_ADMIN_TOKEN || undefined);
  if (url !== undefined && !/^https?:\/\/[^/]/.test(url)) {
    throw new Failure(
      'USAGE',
      `--admin: ${JSON.stringify(url)} is not allowed; allowed is a URL like ${DEFAULT_URL}`,
    );
  }
  if (url !== undefined && token !== undefined) return new AdminClient({ url, token, signal });

  const directories = stateDirectories(options.stateDir ?? env.CLESS_STATE_DIR, env);
  let refused: string | undefined;
  for (const directory of directories) {
    try {
      const found = token ?? readFileSync(join(directory, 'admin-token'), 'utf8').trim();
      const own = readUrl(directory);
      if (url === undefined || isSame(url, own)) return new AdminClient({ url: own, token: found, signal });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EACCES') refused = directory;
    }
  }
  if (url !== undefined)
    throw new Failure(
      'USAGE',
      `${url} needs its token (--token, or CLESS_ADMIN_TOKEN); the one of this host is sent to no other address`,
    );
  throw new Failure(
    'UNREACHABLE',
    refused === undefined
      ? `no token of a proxy is in ${directories.join(' or ')}; is it running? --state-dir names another folder, --admin and --token a proxy elsewhere`
      : `the token in ${refused} is not for this user; try it as the user that runs the proxy, or with --token`,
  );
}

function stateDirectories(given: string | undefined, env: NodeJS.ProcessEnv): string[] {
  if (given !== undefined && given !== '') return [given];
  const own = env.XDG_STATE_HOME
    ? join(env.XDG_STATE_HOME, 'cless')
    : join(homedir(), '.local', 'state', 'cless');
  return [...new Set([own, '/var/lib/cless'])];
}

function isSame(one: string, other: string): boolean {
  return URL.canParse(one) && URL.canParse(other) && new URL(one).href === new URL(other).href;
}

function readUrl(directory: string): string {
  try {
    return readFileSync(join(directory, 'admin-url'), 'utf8').trim();
  } catch {
    return DEFAULT_URL;
  }
}
