import { describeAnswers, describeForwarder, FORWARDERS } from '@cless/testkit';

describeForwarder('undici', FORWARDERS.undici, { keepsHeaderCase: true });
describeForwarder('http-proxy-3', FORWARDERS['http-proxy-3'], { keepsHeaderCase: false });

describeAnswers('undici', FORWARDERS.undici);
describeAnswers('http-proxy-3', FORWARDERS['http-proxy-3']);
