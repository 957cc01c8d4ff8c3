import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ConnectionOptions, connect } from './connection.ts';

let server: Server;
let url: string;
let directory: string;
let seen: string | undefined;

beforeAll(async () => {
  server = createServer((request, response) => {
    seen = request.headers.authorization;
    response.setHeader('Content-Type', 'application/json').end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cless-connection-'));
  seen = undefined;
});
afterEach(() => rmSync(directory, { recursive: true }));
afterAll(() => server.close());

/** Writes what a proxy leaves in its state directory. */
function proxyIn(folder: string, token: string, at = url): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'admin-token'), `${token}\n`);
  writeFileSync(join(folder, 'admin-url'), `${at}\n`);
}

/** The token that the proxy is shown. */
async function shown(options: ConnectionOptions, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  await connect(options, env).status();
  return seen;
}

test('flags come before the environment, and that before what the proxy has left', async () => {
  proxyIn(directory, 'left');
  const env = { CLESS_STATE_DIR: directory };
  expect(await shown({}, env)).toBe('Bearer left');
  expect(await shown({}, { ...env, CLESS_ADMIN_URL: url, CLESS_ADMIN_TOKEN: 'set' })).toBe('Bearer set');
  expect(await shown({ token: 'given' }, { ...env, CLESS_ADMIN_TOKEN: 'set' })).toBe('Bearer given');
  expect(await shown({ stateDir: directory }, { CLESS_STATE_DIR: '/nowhere' })).toBe('Bearer left');
});

test('an empty variable says nothing', async () => {
  proxyIn(directory, 'left');
  const env = { CLESS_STATE_DIR: directory, CLESS_ADMIN_URL: '', CLESS_ADMIN_TOKEN: '' };
  expect(await shown({}, env)).toBe('Bearer left');
});

test('the state of a user is where users have it', async () => {
  proxyIn(join(directory, 'cless'), 'left');
  expect(await shown({}, { XDG_STATE_HOME: directory })).toBe('Bearer left');
});

test('the token of this host goes to its own address, however that is written, and to no other', async () => {
  proxyIn(directory, 'left');
  expect(await shown({ admin: `${url}/`, stateDir: directory }, {})).toBe('Bearer left');
  expect(() => connect({ admin: 'http://elsewhere:7070', stateDir: directory }, {})).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('needs its token') }),
  );
});

test.each(['localhost:7070', 'ftp://a', 'http://', 'http:///a'])('%s is no address', (admin) => {
  expect(() => connect({ admin, token: 'x' }, {})).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('--admin') }),
  );
});

test('where no proxy has left anything, it says where it has looked', () => {
  expect(() => connect({}, { CLESS_STATE_DIR: directory })).toThrow(
    expect.objectContaining({ code: 'UNREACHABLE', message: expect.stringContaining(directory) }),
  );
});
