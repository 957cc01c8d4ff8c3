import { describeForwarder, FORWARDERS } from '@cless/testkit';

describeForwarder('undici', FORWARDERS.undici, { keepsHeaderCase: true, keepsEmptyQuery: true });
describeForwarder('http-proxy-3', FORWARDERS['http-proxy-3'], {
  keepsHeaderCase: false,
  keepsEmptyQuery: false,
});
