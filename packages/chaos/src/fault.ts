import type { Installation } from './installation.ts';
import type { Excuse } from './ledger.ts';
import { LEDGER, PLAIN, STREAM } from './services.ts';

/** Something that goes wrong, and what clients may notice of it. */
export interface Fault {
  readonly name: string;
  /** Causes the fault. @throws if its immediate effect does not show */
  inject(installation: Installation): Promise<unknown>;
  /** Ends the fault. Called once after `inject`, even if that failed. */
  heal?(installation: Installation): Promise<unknown>;
  /** How long it lasts, in milliseconds. Default: not at all. */
  readonly holdMs?: number;
  /** Cause it while all instances are gone and there are no requests. */
  readonly asleep?: boolean;
  /** The failures that are excused meanwhile. Default: none. */
  readonly excuses?: readonly Excuse[];
  /** Services whose instances must keep running. */
  readonly keeps: readonly string[];
  /** What the log must contain. */
  readonly logs?: readonly RegExp[];
  /** How long after `heal` all requests must be answered again, in milliseconds. Default 10,000. */
  readonly recoversWithinMs?: number;
  /** Why it is impossible on this machine; undefined if it is not. */
  readonly impossible?: string;
  /** Only applies with several workers. */
  readonly needsWorkers?: boolean;
}

/** Services that are always in use, so that only a fault ends their instances. */
export const WARM: readonly string[] = [PLAIN, LEDGER, STREAM];

/** All warm services except that one. */
export function others(service: string): readonly string[] {
  return WARM.filter((warm) => warm !== service);
}
