import { execFile, execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ProxyProcess, SAMPLE_COMMAND, stateDirectory } from '@cless/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PROXY } from './proxy.ts';

/*
 * Programs that offer h2c by themselves, through the real proxy. Where they are missing, their first bytes are still
 * tried: `client-heads.integration.test.ts` has them.
 */

const run = promisify(execFile);
const state = stateDirectory();
const services = join(state.path, 'services.json');
writeFileSync(services, JSON.stringify({ localhost: { command: SAMPLE_COMMAND } }));
let proxy: ProxyProcess;

beforeAll(async () => {
  proxy = await PROXY.start({
    CLESS_RUNTIME: 'process',
    CLESS_PROCESS_SERVICES: services,
    CLESS_STATE_DIR: state.path,
  });
});

afterAll(async () => {
  await proxy.stop();
  state.remove();
});

test.skipIf(!has('curl'))('curl --http2 is answered in HTTP/1.1, with a body and without', async () => {
  const url = `http://localhost:${proxy.port}/echo`;
  const curl = ['-sS', '--ipv4', '--http2', '-w', '\n%{http_version} %{http_code}'];
  expect((await run('curl', [...curl, url, url])).stdout).toMatch(/^\{.*\n1\.1 200\{.*\n1\.1 200$/s);
  const { stdout } = await run('curl', [...curl, '-d', 'hello', url]);
  expect(stdout).toMatch(/"body":\{"length":5,.*"start":"hello"\}\}\n1\.1 200$/);
});

const JAVA = `
import java.net.URI;
import java.net.http.*;

public class Client {
  public static void main(String[] args) throws Exception {
    var client = HttpClient.newHttpClient();
    var request = HttpRequest.newBuilder(URI.create(args[0]));
    for (var one : new HttpRequest[] {
      request.GET().build(),
      request.POST(HttpRequest.BodyPublishers.ofString("hello")).build(),
    }) {
      var answer = client.send(one, HttpResponse.BodyHandlers.ofString());
      System.out.println(answer.version() + " " + answer.statusCode() + " " + answer.body());
    }
  }
}
`;

test.skipIf(!has('javac'))('Java’s HttpClient, as it comes', async () => {
  const file = join(state.path, 'Client.java');
  writeFileSync(file, JAVA);
  const { stdout } = await run('java', [file, `http://localhost:${proxy.port}/echo`]);
  expect(stdout).toMatch(
    /^HTTP_1_1 200 .*"method":"GET".*\nHTTP_1_1 200 .*"method":"POST".*"start":"hello".*\n$/,
  );
});

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
}
