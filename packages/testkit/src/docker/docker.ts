import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs the docker command and gives back what it prints. @throws if it fails, with what it printed */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, {
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
  });
  return stdout.trim();
}

/** The lines that a docker command prints. */
export async function dockerLines(...args: string[]): Promise<string[]> {
  return (await docker(...args)).split('\n').filter((line) => line !== '');
}

/**
 * Why there is no engine to test against; nothing if there is one. `npm test` finds out and says so in
 * TEST_NO_ENGINE, else the engine itself is asked.
 */
export const noEngine: string | undefined =
  process.env.TEST_NO_ENGINE ??
  (await docker('version', '--format', '{{.Server.Version}}').then(
    () => undefined,
    (error: Error) => error.message,
  ));

/** Makes an image of the sample upstream that behaves as its environment and further lines of its Dockerfile say. */
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

/** Removes what an owner has left: containers, network, record, and the images named. */
export async function cleanUp(owner: string, images: readonly string[] = []): Promise<void> {
  const containers = await dockerLines('ps', '-aq', '--filter', `label=cless.owner=${owner}`);
  if (containers.length > 0) await docker('rm', '-f', '-v', ...containers).catch(() => {});
  await docker('network', 'rm', `cless-${owner}`).catch(() => {});
  await docker('volume', 'rm', `cless.owner.${owner}`).catch(() => {});
  if (images.length > 0) await docker('rmi', '-f', ...images).catch(() => {});
}
