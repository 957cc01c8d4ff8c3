import type { Installation } from './installation.ts';
import type { Excuse } from './ledger.ts';
import { LEDGER, PLAIN, STREAM } from './services.ts';

/** Something that goes wrong, and what of it may be noticed. */
export interface Fault {
  readonly name: string;
  /** Brings it about. @throws if what is to be seen at once is not */
  inject(installation: Installation): Promise<unknown>;
  /** Ends it; called once after `inject`, however that went. */
  heal?(installation: Installation): Promise<unknown>;
  /** How long it lasts. Default: it is a moment. */
  readonly holdMs?: number;
  /** It is brought about while all instances are gone and nobody asks. */
  readonly asleep?: boolean;
  /** What may fail meanwhile. Default: nothing. */
  readonly excuses?: readonly Excuse[];
  /** Services whose instances run on. */
  readonly keeps: readonly string[];
  /** What the log must say of it. */
  readonly logs?: readonly RegExp[];
  /** How long after the healing all must be answered again. Default 10 s. */
  readonly recoversWithinMs?: number;
  /** Why it cannot be brought about on this machine. */
  readonly impossible?: string;
  /** Only where several processes take requests in. */
  readonly needsWorkers?: boolean;
}

/** Services that are in use all the time: nothing but a fault ends their instances. */
export const WARM: readonly string[] = [PLAIN, LEDGER, STREAM];

/** All warm services but that one. */
export function others(service: string): readonly string[] {
  return WARM.filter((warm) => warm !== service);
}
