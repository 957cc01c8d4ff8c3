import { describeAnswers, describeForwarder } from '@cless/testkit';
import { expect, test } from 'vitest';
import { startEdge } from '../../test/edge/edge-under-test.ts';

const subject = {
  name: 'http-proxy-3',
  start: startEdge.bind(undefined, 'http-proxy-3'),
  keepsHeaderCase: false,
};

describeForwarder(subject);
describeAnswers(subject);

test('http-proxy-3 cannot be made to send by fetch', async () => {
  process.env.FORCE_FETCH_PATH = 'true';
  const edge = await subject.start({}, { responseTimeoutMs: 1_000 });
  expect(process.env.FORCE_FETCH_PATH).toBeUndefined();
  await edge.close();
});
