import type { GateMode } from '../engine-gate.ts';
import { type Fault, others, WARM } from '../fault.ts';
import type { Installation } from '../installation.ts';
import type { Excuse } from '../ledger.ts';
import { PLAIN, SLEEPY, STREAM } from '../services.ts';

/** Starting and waking need the engine, and fail if their call is cut when the gate's mode changes. */
const SLEEPERS: Excuse = { services: [SLEEPY], by: [502, 503, 504] };
const LOST = /runtime unavailable/;

/** The engine's socket misbehaves. Warm services must not notice. */
function gate(mode: GateMode, about: Partial<Fault> = {}): Fault {
  return {
    name: `engine: ${mode}`,
    inject: async (installation) => {
      installation.gate = mode;
    },
    heal: openGate,
    holdMs: 2_500,
    excuses: [SLEEPERS],
    keeps: WARM,
    logs: [LOST],
    ...about,
  };
}

async function openGate(installation: Installation): Promise<void> {
  installation.gate = 'open';
}

/** A container dies while events are lost or out of order. */
function whileEvents(mode: GateMode, command: readonly string[]): Partial<Fault> {
  return {
    inject: async (installation) => {
      installation.gate = mode;
      // It may be removed before it is started again.
      await installation.engine.docker(...command, await installation.containerOf(PLAIN)).catch(() => {});
    },
    keeps: others(PLAIN),
    logs: [/plain (stopped|exited)/],
  };
}

/** @param frozenMs how long the engine is frozen */
export function engineFaults(frozenMs: number): readonly Fault[] {
  return [
    gate('refuse'),
    gate('silence'),
    gate('garbage'),
    gate('html'),
    gate('redirect'),
    gate('empty'),
    gate('delay', { logs: [] }),
    gate('cut'),
    gate('drop-events', whileEvents('drop-events', ['kill'])),
    gate('reorder-events', {
      ...whileEvents('reorder-events', ['restart', '-t', '0']),
      // The retry may arrive before the app listens again, while its death has not been reported.
      excuses: [SLEEPERS, { services: [PLAIN], by: [502] }],
    }),
    {
      name: 'engine: stopped for a while',
      inject: async ({ engine }) => engine.freeze(true),
      heal: async ({ engine }) => engine.freeze(false),
      holdMs: frozenMs,
      keeps: WARM,
      // Waiting requests are answered after it continues.
      recoversWithinMs: 20_000,
    },
    {
      name: 'engine: killed and started again',
      inject: ({ engine }) => engine.kill('SIGKILL'),
      heal: ({ engine }) => engine.start(),
      holdMs: 1_000,
      // Its containers die with it or at its next start.
      excuses: [{ by: [502, 503, 504] }, { services: [STREAM], kinds: ['stream', 'socket'], by: ['cut'] }],
      keeps: [],
      logs: [LOST, /runtime connected/],
      recoversWithinMs: 30_000,
    },
  ];
}
