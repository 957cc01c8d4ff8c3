import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { install } from './engine.ts';
import { attempt, find, step } from './shell.ts';

const TESTKIT = join(import.meta.dirname, '../..');
const SAMPLES = join(TESTKIT, '../../images');
const BASE_IMAGE = 'debian:bookworm-slim';
/** Debian's Docker has no BuildKit, and these Dockerfiles do not need it. */
const BUILD_ENV = { DOCKER_BUILDKIT: '0' };

/** The languages of `images/`. */
export function sampleNames(): string[] {
  return readdirSync(SAMPLES, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

export function imageExists(image: string): boolean {
  return attempt('docker', ['image', 'inspect', image]).ok;
}

/** Builds `NAME-docker` from `images/NAME`. @throws if a build fails */
export async function buildSamples(names: readonly string[], { onlyMissing = false } = {}): Promise<void> {
  for (const name of names) {
    const image = `${name}-docker`;
    if (onlyMissing && imageExists(image)) continue;
    await ensureBaseImage();
    await step(`building ${image}`, 'docker', ['build', '-t', image, join(SAMPLES, name)], {
      env: BUILD_ENV,
    });
  }
}

/** Builds the image of the tests' sample upstream, `cless-testkit`. */
export async function buildTestImage(): Promise<void> {
  await ensureBaseImage();
  const context = mkdtempSync(join(tmpdir(), 'cless-image-'));
  try {
    cpSync(join(TESTKIT, 'image/Dockerfile'), join(context, 'Dockerfile'));
    cpSync(join(TESTKIT, 'src/programs/sample-upstream.ts'), join(context, 'sample-upstream.ts'));
    cpSync(process.execPath, join(context, 'node'));
    await step('building cless-testkit', 'docker', ['build', '-t', 'cless-testkit', context], {
      env: BUILD_ENV,
    });
  } finally {
    rmSync(context, { recursive: true });
  }
}

/** Makes sure that the base image exists: found, pulled, or built with debootstrap. */
async function ensureBaseImage(): Promise<void> {
  if (imageExists(BASE_IMAGE)) return;
  if (attempt('docker', ['pull', '-q', BASE_IMAGE], { timeoutMs: 120_000 }).ok) return;
  console.log(`${BASE_IMAGE} can be neither found nor pulled: it is made with debootstrap`);
  if (find('debootstrap') === undefined) await install(['debootstrap', 'debian-archive-keyring']);
  const directory = mkdtempSync(join(tmpdir(), 'cless-debootstrap-'));
  try {
    const root = join(directory, 'root');
    await step(`making ${BASE_IMAGE}`, 'sh', [
      '-ec',
      `"$1" --variant=minbase bookworm "$2"
       rm -rf "$2"/var/cache/apt/archives/*.deb "$2"/var/lib/apt/lists/*
       tar -C "$2" -c . | docker import - "$3"`,
      'sh',
      find('debootstrap') ?? 'debootstrap',
      root,
      BASE_IMAGE,
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
