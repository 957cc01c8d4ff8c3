/** Answers to all, by convention. */
export const PLAIN = 'plain';
/** Registered; records what it executes. */
export const LEDGER = 'ledger';
/** By convention: event streams and WebSockets. */
export const STREAM = 'stream';
/** Registered; sleeps after a moment without requests. */
export const SLEEPY = 'sleepy';
export const SERVICES = [PLAIN, LEDGER, STREAM, SLEEPY] as const;

/** The host that a service answers to. */
export function hostOf(service: string): string {
  return `${service}.cless.cloud`;
}
