import type { Endpoint, Revision, Runtime } from '@cless/model';

/**
 * Finds out why an instance did not get ready.
 *
 * @param signal aborted when that has taken long enough; then explains what is known
 */
export async function explainNotReady(
  runtime: Pick<Runtime, 'image' | 'listening'>,
  id: string,
  revision: Revision,
  error: unknown,
  signal: AbortSignal,
): Promise<string> {
  const look = async () => {
    const [listeners, image] = await Promise.all([
      runtime.listening?.(id).catch(() => undefined),
      runtime.image(revision.spec.image).catch(() => undefined),
    ]);
    return { listeners, exposedPorts: image?.exposedPorts ?? [] };
  };
  const { promise: enough, resolve } = Promise.withResolvers<undefined>();
  const end = () => resolve(undefined);
  signal.addEventListener('abort', end, { once: true });
  const facts = await Promise.race([look(), enough]);
  signal.removeEventListener('abort', end);
  return whyNotReady({
    revision,
    error,
    listeners: facts?.listeners,
    exposedPorts: facts?.exposedPorts ?? [],
  });
}

/** What is known about an instance that did not get ready. */
interface Facts {
  readonly revision: Pick<Revision, 'spec' | 'readiness'>;
  /** The probe's error. */
  readonly error: unknown;
  /** The addresses that something in the instance listens on; undefined if unknown. */
  readonly listeners: readonly Endpoint[] | undefined;
  /** The ports that the image exposes. */
  readonly exposedPorts: readonly number[];
}

/**
 * Explains why an instance did not get ready, in terms of the instance: the port published on this host means nothing
 * to its owner.
 */
export function whyNotReady({ revision, error, listeners, exposedPorts }: Facts): string {
  return whyNot(revision, failureOf(error), listeners, exposedPorts);
}

function whyNot(
  { spec: { port }, readiness: { check } }: Facts['revision'],
  failure: Failure,
  listeners: Facts['listeners'],
  exposedPorts: readonly number[],
): string {
  if (failure.status !== undefined) {
    const path = check.kind === 'http' ? (check.path ?? '/') : '/';
    return `${path} on port ${port} is answered with ${failure.status}`;
  }
  if (listeners === undefined) return `port ${port} does not answer as it should (${failure.text})`;
  const here = listeners.filter((one) => one.port === port);
  if (here.some(({ host }) => !isLoopback(host))) {
    if (failure.isSilent) return `port ${port} takes connections, and does not answer`;
    return check.kind === 'http'
      ? `port ${port} answers, but speaks no HTTP (${failure.text}); if that is right: --ready-tcp`
      : `port ${port} takes connections, and closes them (${failure.text})`;
  }
  const [only] = here;
  if (only !== undefined)
    return `it listens on ${place(only)} only, where nothing from outside of it arrives: listen on 0.0.0.0`;
  const others = [...new Set(listeners.map(place))];
  const nothing =
    others.length === 0
      ? 'nothing listens in it'
      : `nothing listens on port ${port} in it; ${others.join(', ')} ${others.length === 1 ? 'does' : 'do'}`;
  if (exposedPorts.length > 1)
    return `${nothing}; its image exposes ${exposedPorts.length} ports (${exposedPorts.join(', ')}): choose one with --port`;
  return others.length === 0 ? nothing : `${nothing}: listen on PORT, or say which it is with --port`;
}

interface Failure {
  readonly text: string;
  readonly status: string | undefined;
  /** Was there no answer at all? */
  readonly isSilent: boolean;
}

/** The failure of the last attempt, without addresses of this host. */
function failureOf(error: unknown): Failure {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : undefined;
  const message = cause?.message ?? 'no answer';
  const [, status] = /^status (\d{3})$/.exec(message) ?? [];
  return {
    text: message.replaceAll(/\s*(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f]*:[0-9a-f:]+\]?):\d+/gi, ''),
    status,
    isSilent: /^no answer/.test(message),
  };
}

function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}

function place({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
