import type { Lease } from '@cless/activator';
import { sendProblem } from '../answer/problem.ts';
import type { Incoming } from '../exchange/incoming.ts';
import type { UpgradeOffer } from '../exchange/upgrade-offer.ts';
import { UpstreamError } from '../forward/forward-error.ts';
import { instanceHeaders } from '../headers/forwarded.ts';
import { choose, find, lease } from './choose.ts';
import type { JourneyContext } from './journey.ts';
import { RequestRecord } from './record.ts';
import { mayBeSentAgain } from './retry.ts';
import { type Route, route } from './route.ts';

/** An upgrade being handled. */
interface Upgrading {
  readonly context: JourneyContext;
  readonly incoming: Incoming;
  readonly offer: UpgradeOffer;
  readonly record: RequestRecord;
  /** Aborted when the client leaves. */
  readonly left: AbortSignal;
}

/**
 * The way of an upgrade, from its head to the end of the connection or its refusal: read, choose, lease, forward,
 * settle, as for any request. A WebSocket may be silent for hours. Never rejects.
 */
export async function upgrade(
  context: JourneyContext,
  incoming: Incoming,
  offer: UpgradeOffer,
): Promise<void> {
  const record = new RequestRecord(context, incoming);
  const left = new AbortController();
  const leave = () => left.abort(new Error('the client left'));
  offer.stream.once('close', leave);
  const upgrading: Upgrading = { context, incoming, offer, record, left: left.signal };
  context.retries.earn();
  try {
    const asked = route(incoming, record, context);
    if (incoming.expectsContinue) offer.writeContinue(); // RFC 9110 §7.8
    record.end(await forward(upgrading, asked), undefined);
  } catch (error) {
    record.end(refuse(upgrading, error), error);
  } finally {
    offer.stream.off('close', leave);
  }
}

/** @returns the status of the answer, when the connection has ended */
async function forward(upgrading: Upgrading, asked: Route): Promise<number> {
  const { context, incoming, record, left } = upgrading;
  for (let retries = 0; ; retries++) {
    const served = await find(asked, context.source);
    left.throwIfAborted();
    const choice = choose(served, incoming, asked, record);
    const leased = await lease(choice, context.activator, record, left);
    let failure: UpstreamError;
    try {
      left.throwIfAborted();
      return await send(upgrading, asked, leased);
    } catch (error) {
      left.throwIfAborted(); // a client that has left says nothing about the instance
      if (!(error instanceof UpstreamError) || error.code !== 'UPSTREAM_DISCONNECTED') throw error;
      failure = error;
    } finally {
      leased.release();
    }
    const examined = leased.examine();
    const tried = { method: incoming.method, body: 'none', retries } as const;
    if (!mayBeSentAgain(failure, tried) || !context.retries.spend()) throw failure;
    await examined;
  }
}

function send(
  { context, incoming, offer, record }: Upgrading,
  { head }: Route,
  target: Lease,
): Promise<number> {
  const trusted = context.trustedProxies.trusts(incoming.peer);
  return context.forwarder.upgrade({
    target,
    method: incoming.method,
    path: head.path,
    headers: instanceHeaders(incoming, head, record.requestId, trusted),
    answerHeaders: record.answerHeaders(),
    offer,
  });
}

/** @returns the status of the answer */
function refuse({ incoming, offer, record }: Upgrading, error: unknown): number {
  if (offer.stream.destroyed) return 499;
  const problem = record.problem(error);
  const { service, requestId } = record;
  sendProblem(incoming, offer.outgoing, problem, { service, requestId });
  return problem.status;
}
