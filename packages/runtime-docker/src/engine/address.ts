import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '@cless/model';

const DEFAULT_ADDRESS = 'unix:///var/run/docker.sock';

/**
 * The address of the engine that the `docker` command would use: `DOCKER_HOST`, else the context named by
 * `DOCKER_CONTEXT` or by `currentContext` of the client's configuration, else the default socket.
 *
 * See https://docs.docker.com/engine/manage-resources/contexts/
 *
 * @throws with code `ENGINE_ADDRESS`, if the named context does not exist
 */
export function engineAddress(env: NodeJS.ProcessEnv = process.env): string {
  if (env.DOCKER_HOST) return env.DOCKER_HOST;

  const configDirectory = env.DOCKER_CONFIG ?? join(env.HOME ?? homedir(), '.docker');
  const context = env.DOCKER_CONTEXT ?? currentContext(configDirectory);
  if (context === undefined || context === '' || context === 'default') return DEFAULT_ADDRESS;

  const id = createHash('sha256').update(context).digest('hex');
  const file = join(configDirectory, 'contexts', 'meta', id, 'meta.json');
  const host = (readJson(file) as ContextMeta | undefined)?.Endpoints?.docker?.Host;
  if (host === undefined) {
    throw new Failure(
      'ENGINE_ADDRESS',
      `the docker context ${context} has no endpoint in ${file}; see \`docker context ls\``,
    );
  }
  return host;
}

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string } };
}

function currentContext(configDirectory: string): string | undefined {
  const config = readJson(join(configDirectory, 'config.json')) as { currentContext?: string } | undefined;
  return config?.currentContext;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // missing or unreadable: `docker`, too, then uses its default
  }
}
