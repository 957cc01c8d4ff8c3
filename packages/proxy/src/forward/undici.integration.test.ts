import { describeAnswers, describeForwarder } from '@cless/testkit';
import { startEdge } from '../../test/edge/edge-under-test.ts';

const subject = { name: 'undici', start: startEdge.bind(undefined, 'undici'), keepsHeaderCase: true };

describeForwarder(subject);
describeAnswers(subject);
