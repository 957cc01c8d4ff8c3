import type { Clock, Endpoint, Revision, Runtime } from '@cless/model';
import { notReady } from '../failures.ts';
import { rest } from '../rest.ts';

/** How long looking into an instance may take, in milliseconds: requests wait for it. */
const LOOK_MS = 5_000;

/** Looks into an instance that did not get ready, as long as it runs. */
export async function lookInto(
  id: string,
  revision: Revision,
  error: unknown,
  { runtime, clock }: { readonly runtime: Runtime; readonly clock: Clock },
): Promise<Error> {
  const enough = new AbortController();
  const look = async () => {
    const [listeners, image] = await Promise.all([
      runtime.listening?.(id).catch(() => undefined),
      runtime.image(revision.spec.image).catch(() => undefined),
    ]);
    return { listeners, exposedPorts: image?.exposedPorts ?? [] };
  };
  const facts = await Promise.race([look(), rest(clock, LOOK_MS, enough.signal)]);
  enough.abort();
  return explainNotReady({
    revision,
    error,
    listeners: facts?.listeners,
    exposedPorts: facts?.exposedPorts ?? [],
  });
}

/** What is known of an instance that did not get ready. */
interface Facts {
  readonly revision: Pick<Revision, 'service' | 'spec' | 'readiness'>;
  /** What the probe said. */
  readonly error: unknown;
  /** Where something listens in the instance; nothing where that cannot be told. */
  readonly listeners: readonly Endpoint[] | undefined;
  /** The ports that the image exposes. */
  readonly exposedPorts: readonly number[];
}

/**
 * Why an instance did not get ready, in terms of the instance: where it is published on this host is nothing that its owner
 * has chosen, or can change.
 */
export function explainNotReady({ revision, error, listeners, exposedPorts }: Facts): Error {
  const { timeoutMs } = revision.readiness;
  const why = whyNot(revision, failureOf(error), listeners, exposedPorts);
  return notReady(revision.service, timeoutMs, why, error);
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
  /** Did nothing come at all? */
  readonly isSilent: boolean;
}

/** Of the last attempt, without addresses of this host. */
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
