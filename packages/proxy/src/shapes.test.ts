import { waitUntilReady } from '@cless/health';
import type { Clock, ReadinessProbe, Runtime } from '@cless/model';
import type { Router as ConcreteRouter } from '@cless/router';
import type { DockerRuntime, Ready } from '@cless/runtime-docker';
import type { ProcessRuntime } from '@cless/runtime-process';
import type { FakeClock, FakeRuntime } from '@cless/testkit';
import { expectTypeOf, test } from 'vitest';
import type { Forwarder } from './forward/forwarder.ts';
import type { HttpProxy3Forwarder } from './forward/http-proxy-3.ts';
import type { UndiciForwarder } from './forward/undici.ts';
import type { ConventionSource } from './services/convention.ts';
import type { Router } from './services/router.ts';
import type { ServiceSource } from './services/source.ts';

test('the packages satisfy the proxy’s interfaces by their shape alone', () => {
  expectTypeOf<ConcreteRouter>().toExtend<Router>();
  expectTypeOf<DockerRuntime>().toExtend<Runtime>();
  expectTypeOf<ProcessRuntime>().toExtend<Runtime>();
  expectTypeOf<FakeRuntime>().toExtend<Runtime>();
  expectTypeOf<FakeClock>().toExtend<Clock>();
  expectTypeOf(waitUntilReady).toExtend<ReadinessProbe>();
  expectTypeOf(waitUntilReady).toExtend<Ready>();
  expectTypeOf<UndiciForwarder>().toExtend<Forwarder>();
  expectTypeOf<HttpProxy3Forwarder>().toExtend<Forwarder>();
  expectTypeOf<ConventionSource>().toExtend<ServiceSource>();
});
