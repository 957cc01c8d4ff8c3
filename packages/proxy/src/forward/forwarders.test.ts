import { describeAnswers, describeForwarder, FORWARDERS, startFront } from '@cless/testkit';
import { expect, test } from 'vitest';

describeForwarder('undici', FORWARDERS.undici, { keepsHeaderCase: true });
describeForwarder('http-proxy-3', FORWARDERS['http-proxy-3'], { keepsHeaderCase: false });

describeAnswers('undici', FORWARDERS.undici);
describeAnswers('http-proxy-3', FORWARDERS['http-proxy-3']);

test('http-proxy-3 cannot be made to send by fetch', async () => {
  process.env.FORCE_FETCH_PATH = 'true';
  const edge = await startFront(FORWARDERS['http-proxy-3'], {}, { responseTimeoutMs: 1_000 });
  expect(process.env.FORCE_FETCH_PATH).toBeUndefined();
  await edge.close();
});
