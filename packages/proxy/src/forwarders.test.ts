import { describeForwarder } from '@cless/testkit';
import { HttpProxy3Forwarder } from './http-proxy-3-forwarder.ts';
import { UndiciForwarder } from './undici-forwarder.ts';

describeForwarder('undici', (options) => new UndiciForwarder(options), {
  keepsHeaderCase: true,
  keepsEmptyQuery: true,
});
describeForwarder('http-proxy-3', (options) => new HttpProxy3Forwarder(options), {
  keepsHeaderCase: false,
  keepsEmptyQuery: false,
});
