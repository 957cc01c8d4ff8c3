import type { ActivatorEvent } from '@cless/activator';
import type { InstanceSpec, Revision } from '@cless/model';
import { expect, test } from 'vitest';
import { told } from './told-event.ts';

const starting: ActivatorEvent = { type: 'starting', service: 'web', revision: '1', instance: undefined };
const revision = (spec: Partial<InstanceSpec>): Revision => ({
  service: 'web',
  id: '1',
  spec: { service: 'web', revision: '1', image: 'web', port: 80, ...spec },
  readiness: { check: { kind: 'tcp' }, timeoutMs: 1 },
  idle: { pauseAfterMs: undefined, stopAfterMs: undefined },
  stopGraceMs: 1,
});

test('a start with less hardening says what is given up', () => {
  expect(told(starting, revision({}))).toEqual(starting);
  expect(told(starting, revision({ relaxations: ['root-user'] }))).toMatchObject({
    relaxations: ['root-user'],
  });
  expect(told(starting, revision({ hardening: 'off' }))).toMatchObject({ relaxations: ['off'] });
});

test('nothing else says so', () => {
  const created: ActivatorEvent = { ...starting, type: 'created', durationMs: 1 };
  expect(told(created, revision({ hardening: 'off' }))).toEqual(created);
  expect(told({ type: 'runtime-connected' }, undefined)).toEqual({ type: 'runtime-connected' });
});
