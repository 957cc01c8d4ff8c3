import {
  type Attack,
  asExpected,
  attack,
  type EdgeUnderTest,
  FIRST,
  fuzzRuns,
  fuzzSeed,
  hidesNothing,
  hostileAnswers,
  inParallel,
  LAST,
  mutate,
  type Outcome,
  seededRandom,
  smugglingCorpus,
  upgradeCorpus,
  Witness,
} from '@cless/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startEdge, WAYS } from './edge-under-test.ts';

/*
 * Input that is harmless alone is tried behind an unanswered request, in front of another one, and cut at each byte:
 * the outcome must be the same. Two requests of one connection must never be with instances at once, none may get
 * another's answer, and nothing after a refusal may be carried out.
 */

const CORPORA: Readonly<Record<string, readonly Attack[]>> = {
  smuggling: smugglingCorpus,
  upgrades: upgradeCorpus,
  'hostile answers': hostileAnswers
    // Long ones come in other pieces each time; `hostility.integration.test.ts` has them.
    .filter(({ length }) => length < 20_000)
    .map((answer, i) => ({
      name: JSON.stringify(answer.slice(0, 60)),
      bytes: 'GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n',
      answer,
      ends: i % 2 === 0,
      service: `raw${i}`,
    })),
};
/** Longer ones are sent whole only. */
const MAX_CUT_BYTES = 200;
const SERVICES = ['raw', ...hostileAnswers.map((_, i) => `raw${i}`)];
const WIDTH = 150;
/** After how long without bytes nothing more is expected, in milliseconds; longer than the timeout of an answer. */
const QUIET_MS = 3_000;
const RESPONSE_TIMEOUT_MS = 1_000;
const FUZZ_RUNS = fuzzRuns(400);
const FUZZ_SEED = fuzzSeed(20261125);
const REFUSALS = [400, 404, 405, 408, 413, 414, 417, 421, 426, 431, 501, 505];

describe.each(WAYS)('attacks, over %s', (forwarder) => {
  let witness: Witness;
  let edge: EdgeUnderTest;
  let before: Awaited<ReturnType<EdgeUnderTest['held']>>;

  beforeAll(async () => {
    witness = await Witness.listen();
    edge = await startEdge(
      forwarder,
      Object.fromEntries(SERVICES.map((service) => [service, witness.endpoint])),
      { responseTimeoutMs: RESPONSE_TIMEOUT_MS, idleTimeoutMs: RESPONSE_TIMEOUT_MS },
    );
    await attack(edge.port, witness, { bytes: FIRST }, { quietMs: 200 });
    witness.forget();
    await new Promise((resolve) => setTimeout(resolve, 100));
    before = await edge.held();
  });

  afterAll(async () => {
    await edge.close();
    witness.stop();
  });

  /** Waits until it holds no more than before. */
  const expectNothingLeft = async () => {
    witness.forget();
    await expect.poll(async () => (await edge.held()).leases, { timeout: 8_000 }).toBe(0);
    await expect
      .poll(async () => (await edge.held()).descriptors, { timeout: 8_000 })
      .toBeLessThanOrEqual(before.descriptors);
  };

  test('mutated requests, several on a connection', { timeout: 600_000 }, async () => {
    const first = await attack(edge.port, witness, { bytes: FIRST }, { quietMs: 200 });
    const random = seededRandom(FUZZ_SEED);
    const pick = (below: number) => Math.floor(random() * below);
    // As many upgrades and CONNECTs as of everything else.
    const seeds = [...smugglingCorpus, ...Array.from({ length: 4 }, () => upgradeCorpus).flat()];
    const inputs = Array.from({ length: FUZZ_RUNS }, (_, i) => {
      const parts = Array.from({ length: 1 + pick(4) }, () => seeds[pick(seeds.length)] as Attack);
      const bytes = parts.map((part) => (random() < 0.6 ? mutate(part.bytes, random) : part.bytes)).join('');
      const { answer, ends } = parts[0] as Attack;
      const cutAt = FIRST.length + pick(bytes.length);
      return { name: `seed ${FUZZ_SEED}, ${i}`, bytes, cutAt, ...(answer !== undefined && { answer, ends }) };
    });
    const findings: unknown[] = [];
    await inParallel(inputs, WIDTH, async ({ cutAt, ...input }) => {
      const got = await attack(
        edge.port,
        witness,
        { ...input, bytes: FIRST + input.bytes },
        { cutAt, quietMs: QUIET_MS },
      );
      if (!got.text.startsWith(first.text) || got.faults.length > 0) findings.push({ input, got });
    });
    // A mutated name belongs to no connection.
    witness.faults.length = 0;
    expect({ count: findings.length, first: findings.slice(0, 5) }).toEqual({ count: 0, first: [] });
    expect(await attack(edge.port, witness, { bytes: FIRST }, { quietMs: 200 })).toEqual(first);
    await expectNothingLeft();
  });

  describe.each(Object.entries(CORPORA))('%s', (corpusName, corpus) => {
    let first: Outcome;
    /** By index: alone, and in front of another request. */
    const alone: Outcome[] = [];
    const leading: Outcome[] = [];
    let findings: unknown[];

    beforeEach(() => {
      findings = [];
    });

    const say = (name: string, place: string, expected: unknown, got: Outcome) => {
      findings.push({ name, place, expected, got });
    };
    const expectNothingFound = () => {
      expect(witness.faults).toEqual([]);
      expect({ count: findings.length, first: findings.slice(0, 5) }).toEqual({ count: 0, first: [] });
    };
    /** Runs the attack, and reports any unexpected outcome. */
    const attempt = async (
      place: string,
      input: Attack,
      bytes: string,
      expected: Outcome,
      cutAt: number | undefined,
    ) => {
      if (closesByChance(expected)) return;
      const got = await attack(
        edge.port,
        witness,
        { ...input, bytes },
        { expected, quietMs: QUIET_MS, ...(cutAt !== undefined && { cutAt }) },
      );
      if (got.faults.length > 0 || !asExpected(got, expected)) say(input.name, place, expected, got);
    };
    /**
     * Is it refused for its content and not its framing? Such a connection is only closed if the body has not
     * arrived, which is a matter of chance after another request.
     */
    const closesByChance = ({ text }: Outcome) =>
      /\{"type":"(?:method-not-allowed|expectation-failed)"\}/.test(text);
    /** As it would come out behind the answer to `FIRST`. */
    const behindFirst = ({ text, closed, arrived }: Outcome): Outcome => ({
      text: first.text + text,
      closed,
      arrived: [...first.arrived, ...arrived],
      faults: [],
    });

    test('alone', { timeout: 60_000 }, async () => {
      first = await attack(edge.port, witness, { bytes: FIRST }, { quietMs: 200 });
      expect(first).toMatchObject({ closed: false, arrived: ['GET /first'], faults: [] });
      await inParallel(corpus, WIDTH, async (input, i) => {
        const got = await attack(edge.port, witness, input, { quietMs: QUIET_MS });
        alone[i] = got;
        if (got.faults.length > 0) say(input.name, 'alone', 'no faults', got);
        const { text, arrived } = got;
        if (arrived.some((one) => /^\S+ \/smuggled/.test(one)) && !hidesNothing(input.bytes))
          say(input.name, 'alone', 'nothing smuggled', got);
        const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 400);
        if (arrived.length === 0 && ![...REFUSALS, 100, 204].includes(status))
          say(input.name, 'alone', 'a refusal', got);
      });
      expectNothingFound();
    });

    test('in front of another request', { timeout: 60_000 }, async () => {
      await inParallel(corpus, WIDTH, async (input, i) => {
        const got = await attack(
          edge.port,
          witness,
          { ...input, bytes: input.bytes + LAST },
          { quietMs: QUIET_MS },
        );
        leading[i] = got;
        const one = alone[i] as Outcome;
        // An incomplete request may be completed by what follows; after a refusal nothing may follow.
        const final = one.closed && !one.text.includes('HTTP/1.1 101 ');
        const good = final
          ? asExpected(got, one)
          : got.text.startsWith(one.text) && one.arrived.every((line, k) => got.arrived[k]?.startsWith(line));
        if (!good || got.faults.length > 0) say(input.name, 'in front', one, got);
      });
      expectNothingFound();
    });

    test('behind a request that is not answered yet', { timeout: 60_000 }, async () => {
      await inParallel(corpus, WIDTH, (input, i) =>
        attempt('behind', input, FIRST + input.bytes, behindFirst(alone[i] as Outcome), undefined),
      );
      await inParallel(corpus, WIDTH, (input, i) =>
        attempt('between', input, FIRST + input.bytes + LAST, behindFirst(leading[i] as Outcome), undefined),
      );
      expectNothingFound();
    });

    // Where bytes are cut does not concern the forwarder or the answer, so one combination is enough.
    const cuts = forwarder === 'undici' && corpusName !== 'hostile answers';
    test.runIf(cuts)('cut at each byte', { timeout: 300_000 }, async () => {
      const short = corpus.flatMap((input, i) =>
        input.bytes.length <= MAX_CUT_BYTES
          ? Array.from({ length: input.bytes.length }, (_, cutAt) => ({ input, i, cutAt }))
          : [],
      );
      await inParallel(short, WIDTH, async ({ input, i, cutAt }) => {
        const expected = leading[i] as Outcome;
        if (cutAt > 0) await attempt(`in front, cut at ${cutAt}`, input, input.bytes + LAST, expected, cutAt);
        await attempt(
          `between, cut at ${cutAt}`,
          input,
          FIRST + input.bytes + LAST,
          behindFirst(expected),
          FIRST.length + cutAt,
        );
      });
      expectNothingFound();
    });

    test('and nothing is left of it', { timeout: 20_000 }, expectNothingLeft);
  });
});
