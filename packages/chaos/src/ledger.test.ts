import { beforeEach, expect, test } from 'vitest';
import { type FaultWindow, Ledger, type Outcome } from './ledger.ts';

let nowMs = 0;
let ledger: Ledger;
const right: Outcome = { type: 'answered', status: 200, right: true };
const cut: Outcome = { type: 'cut', reason: 'ECONNRESET' };
const refused: Outcome = { type: 'answered', status: 503, right: false };

const window = (by: (number | 'cut')[], about: object = {}): FaultWindow => ({
  fault: 'kill',
  fromMs: 100,
  toMs: 200,
  excuses: [{ by, ...about }],
});

beforeEach(() => {
  nowMs = 0;
  ledger = new Ledger(() => nowMs);
});

/** Sends one, and ends it. */
function send(
  fromMs: number,
  toMs: number,
  outcome: Outcome,
  kind: 'GET' | 'POST' | 'stream' = 'GET',
): string {
  nowMs = fromMs;
  const entry = ledger.begin(kind, 'web');
  nowMs = toMs;
  ledger.end(entry, outcome);
  return entry.id;
}

function audit(windows: readonly FaultWindow[] = [], executed: Record<string, number> = {}): string[] {
  return ledger.audit(windows, new Map(Object.entries(executed)), 1_000);
}

test('what was answered right is no violation, with and without a fault', () => {
  send(0, 10, right);
  send(120, 130, right);
  expect(audit([window([])])).toEqual([]);
});

test('an answer that is not its own always is one', () => {
  send(120, 130, { type: 'answered', status: 200, right: false });
  expect(audit([window([200, 'cut'])])).toEqual([expect.stringContaining('not its own')]);
});

test('a failure while nothing was wrong, just before and just after a fault', () => {
  send(0, 99, cut);
  send(201, 210, refused);
  expect(audit([window(['cut', 503])])).toEqual([
    expect.stringContaining('was cut (ECONNRESET) while nothing was wrong'),
    expect.stringContaining('got 503 while nothing was wrong'),
  ]);
});

test('one that overlaps a fault is excused for what the fault may do, and for nothing else', () => {
  send(0, 100, refused);
  send(200, 300, refused);
  send(0, 300, refused);
  send(150, 160, cut);
  expect(audit([window([503])])).toEqual([expect.stringContaining('was cut (ECONNRESET) during: kill')]);
});

test.each([
  [{ services: ['web'] }, 0],
  [{ services: ['other'] }, 1],
  [{ kinds: ['GET'] }, 0],
  [{ kinds: ['POST'] }, 1],
])('an excuse %j', (about, violations) => {
  send(150, 160, refused);
  expect(audit([window([503], about)])).toHaveLength(violations);
});

test('a stream counts by its end, however long ago it began', () => {
  send(0, 150, cut, 'stream');
  expect(audit([window(['cut'])])).toEqual([]);
  send(0, 300, cut, 'stream');
  expect(audit([window(['cut'])])).toHaveLength(1);
});

test('a POST is executed once if it was answered, and at most once if not', () => {
  const answered = send(0, 10, right, 'POST');
  expect(audit([], { [answered]: 1 })).toEqual([]);
  const lost = send(0, 10, right, 'POST');
  const twice = send(0, 10, right, 'POST');
  const cutTwice = send(150, 160, cut, 'POST');
  const cutOnce = send(150, 160, cut, 'POST');
  send(150, 160, cut, 'POST');
  expect(audit([window(['cut'])], { [twice]: 2, [cutTwice]: 2, [cutOnce]: 1 })).toEqual([
    expect.stringMatching(`${lost} .*answered, but not executed`),
    expect.stringMatching(`${twice} .*executed 2 times`),
    expect.stringMatching(`${cutTwice} .*executed 2 times`),
  ]);
});

test('one that hangs, but for streams; one that the client closed is nothing', () => {
  const hangs = ledger.begin('GET', 'web');
  ledger.begin('stream', 'web');
  ledger.close(ledger.begin('GET', 'web'));
  nowMs = 1_001;
  expect(audit([window(['cut'])])).toEqual([expect.stringMatching(`${hangs.id} .*hangs`)]);
});

test('each is told of once', () => {
  send(0, 10, cut);
  expect(audit()).toHaveLength(1);
  expect(audit()).toEqual([]);
});
