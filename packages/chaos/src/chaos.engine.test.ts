import { setTimeout as sleep } from 'node:timers/promises';
import { noEngine, OwnEngine, seededRandom } from '@cless/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containerFaults } from './faults/container-faults.ts';
import { engineFaults } from './faults/engine-faults.ts';
import { hostFaults } from './faults/host-faults.ts';
import { proxyFaults } from './faults/proxy-faults.ts';
import { pruneFaults } from './faults/prune-faults.ts';
import { Installation, type Kind } from './installation.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { Chaos } from './round.ts';
import { tellStory } from './story.ts';

/*
 * A real proxy on a real engine under load, and everything that may happen to both: first each fault by itself, so
 * that a failure has a name; then several in random order. `CHAOS_MINUTES` makes it longer, `CHAOS_SEED` chooses the
 * order.
 */

const skip = noEngine ?? OwnEngine.impossible;
const minutes = Number(process.env.CHAOS_MINUTES ?? 0);
const isLong = minutes > 0;
const rounds = Number(process.env.CHAOS_ROUNDS ?? (isLong ? Number.POSITIVE_INFINITY : 8));
const seed = Number(process.env.CHAOS_SEED ?? (isLong ? Date.now() % 2 ** 31 : 20261125));
const ROUND_TIMEOUT_MS = 180_000;

const faults = [
  ...containerFaults,
  ...pruneFaults,
  ...proxyFaults(isLong ? 20_000 : 2_000),
  ...hostFaults(),
  ...engineFaults(isLong ? 20_000 : 3_000),
];

const clock = () => performance.now();
/** Shared by all tests, since ids are used only once. */
const ledger = new Ledger(clock);
let installation: Installation;

describe.skipIf(skip !== undefined)(`chaos${skip === undefined ? '' : ` (skipped: ${skip})`}`, () => {
  beforeAll(async () => {
    installation = new Installation();
    await installation.prepare();
  });

  afterAll(() => installation.remove());

  describe.each<Kind>([
    { workers: 1, lane: 'on' },
    { workers: 2, lane: 'on' },
    { workers: 1, lane: 'off' },
  ])('$workers worker(s), lane $lane', (kind) => {
    const { workers, lane } = kind;
    const isFirst = workers === 1 && lane === 'on';
    const possible = faults.filter(({ needsWorkers = false }) => workers > 1 || !needsWorkers);
    const random = seededRandom(seed + workers);
    let chaos: Chaos;

    beforeAll(async () => {
      await installation.start(kind);
      if (isFirst) await installation.register();
      chaos = new Chaos(installation, new Load(installation.edge, ledger, seededRandom(seed)), ledger);
      expect(await chaos.begin()).toEqual([]);
    });

    afterAll(async () => {
      const violations = await chaos.end();
      const code = await installation.stop();
      console.log(`${ledger.count} requests`);
      expect(violations).toEqual([]);
      expect(code).toBe(0);
      expect(await installation.containers()).toEqual([]);
      expect(await installation.names('network')).toEqual([]);
    });

    for (const fault of possible) {
      // Each fault alone is tested once, except in the long form.
      if (!isFirst && !fault.needsWorkers && !isLong) continue;
      const { name, impossible } = fault;
      test.skipIf(impossible !== undefined)(
        impossible === undefined ? name : `${name} (skipped: ${impossible})`,
        { timeout: ROUND_TIMEOUT_MS },
        async () => expect(await chaos.round(fault)).toEqual([]),
      );
    }

    const story = tellStory(
      possible.filter(({ impossible }) => impossible === undefined),
      random,
    );
    test(`an order of chance, CHAOS_SEED=${seed}`, {
      timeout: minutes * 60_000 + ROUND_TIMEOUT_MS,
    }, async () => {
      const untilMs = clock() + minutes * 60_000;
      const told: string[] = [];
      for (const { fault, restMs } of story) {
        if (told.length === rounds || (isLong && clock() > untilMs)) break;
        told.push(fault.name);
        await sleep(restMs);
        expect
          .soft(await chaos.round(fault), `CHAOS_SEED=${seed}, after ${told.join(', then ')}`)
          .toEqual([]);
      }
      console.log(`${workers} worker(s), lane ${lane}: ${told.length} faults: ${told.join(', ')}`);
    });
  });
});
