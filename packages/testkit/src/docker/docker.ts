import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs the docker command and returns its output. @throws if it fails, with its output */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, {
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
  });
  return stdout.trim();
}

/** The lines a docker command prints. */
export async function dockerLines(...args: string[]): Promise<string[]> {
  return (await docker(...args)).split('\n').filter((line) => line !== '');
}

/**
 * Why there is no engine to test against; undefined if there is one. `npm test` passes it in TEST_NO_ENGINE;
 * otherwise the engine itself is asked.
 */
export const noEngine: string | undefined =
  process.env.TEST_NO_ENGINE ??
  (await docker('version', '--format', '{{.Server.Version}}').then(
    () => undefined,
    (error: Error) => error.message,
  ));

/** Builds an image of the sample upstream with this environment and these further lines in its Dockerfile. */
export async function sampleImage(
  name: string,
  environment: Readonly<Record<string, string>> = {},
  more: readonly string[] = [],
): Promise<string> {
  const lines = [
    'FROM cless-testkit',
    ...Object.entries(environment).map(([key, value]) => `ENV ${key}=${value}`),
    ...more,
  ];
  const build = run('docker', ['build', '-q', '-t', name, '-'], {
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
  });
  build.child.stdin?.end(lines.join('\n'));
  await build;
  return name;
}

/** Removes what an owner has left: containers, network, record, and the named images. */
export async function cleanUp(owner: string, images: readonly string[] = []): Promise<void> {
  const containers = await dockerLines('ps', '-aq', '--filter', `label=cless.owner=${owner}`);
  if (containers.length > 0) await docker('rm', '-f', '-v', ...containers).catch(() => {});
  await docker('network', 'rm', `cless-${owner}`).catch(() => {});
  await docker('volume', 'rm', `cless.owner.${owner}`).catch(() => {});
  if (images.length > 0) await docker('rmi', '-f', ...images).catch(() => {});
}
