import { expect, test } from 'vitest';
import { fromInspection, fromListing } from './instance.ts';

/** As received from the engine: unchecked text. */
const said = (value: object) => JSON.parse(JSON.stringify(value));
const LABELS = { 'cless.service': 'web', 'cless.revision': 'web-00001', 'cless.spec': 'hash' };
const OURS = { id: 'c1', service: 'web', revision: 'web-00001', spec: 'hash' };

const inspected = (state: object, ports: object = { '8080/tcp': [{ HostPort: '19000' }] }) =>
  fromInspection(
    said({ Id: 'c1', Config: { Labels: LABELS }, State: state, NetworkSettings: { Ports: ports } }),
  );

test('what runs, paused or not, answers where it is published', () => {
  const endpoint = { host: '127.0.0.1', port: 19_000 };
  const running = { Status: 'running', Running: true };
  expect(inspected(running)).toEqual({ ...OURS, state: 'running', endpoint, exit: undefined });
  expect(inspected({ Status: 'paused', Running: true, Paused: true })).toMatchObject({
    state: 'paused',
    endpoint,
  });
  expect(inspected(running, {})?.endpoint).toBeUndefined();
  expect(inspected(running, { '8080/tcp': null })?.endpoint).toBeUndefined();
});

test('what has ended says how, and answers nowhere', () => {
  expect(inspected({ Status: 'exited', ExitCode: 137, OOMKilled: true })).toMatchObject({
    state: 'exited',
    endpoint: undefined,
    exit: { exitCode: 137, oomKilled: true },
  });
  for (const Status of ['dead', 'removing', 'restarting'])
    expect(inspected({ Status, ExitCode: 0 })).toMatchObject({ state: 'exited' });
  expect(inspected({ Status: 'created' })).toMatchObject({ state: 'created', exit: undefined });
});

test('an answer of somebody else is none', () => {
  expect(fromInspection(said({}))).toBeUndefined();
  expect(fromInspection(said({ Config: {}, State: {} }))).toBeUndefined();
  expect(fromInspection(said({ Config: { Labels: {} } }))).toBeUndefined();
});

test('a list says the same, but for how it ended', () => {
  const listed = (State: string, Ports: object[]) =>
    fromListing(said({ Id: 'c1', Labels: LABELS, State, Ports }));
  expect(
    listed('running', [
      { PublicPort: 53, Type: 'udp' },
      { PrivatePort: 80, Type: 'tcp' },
      { PublicPort: 19_000, Type: 'tcp' },
    ]),
  ).toEqual({ ...OURS, state: 'running', endpoint: { host: '127.0.0.1', port: 19_000 } });
  expect(listed('exited', []).endpoint).toBeUndefined();
  expect(fromListing(said({ Id: 'c2', Labels: {}, State: 'created' }))).toMatchObject({
    service: '',
    state: 'created',
  });
});
