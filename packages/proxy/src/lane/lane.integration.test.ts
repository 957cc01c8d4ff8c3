import { describeAnswers, describeForwarder } from '@cless/testkit';
import { startEdge } from '../../test/edge/edge-under-test.ts';

const subject = { name: 'the lane', start: startEdge.bind(undefined, 'lane'), keepsHeaderCase: true };

describeForwarder(subject);
describeAnswers(subject);
