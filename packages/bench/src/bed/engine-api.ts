import { type Agent, request as sendRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const SOCKET = '/var/run/docker.sock';

/** One bare call of the engine's API. */
export function engineCall<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const request = sendRequest(
      {
        socketPath: SOCKET,
        method,
        path,
        agent: false,
        headers:
          payload === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(payload) },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          if ((response.statusCode ?? 0) >= 400)
            reject(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
          else resolve((text === '' ? undefined : JSON.parse(text)) as T);
        });
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
}

/** Asks once. @throws if there is no answer, or not a 2xx */
export function goodAnswer(port: number, host: string, agent: Agent | false): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = sendRequest({ host: '127.0.0.1', port, agent, headers: { Host: host } }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    request.on('error', reject);
    request.end();
  });
}

/** Asks every millisecond until the answer is a 2xx. */
export async function firstGoodAnswer(port: number): Promise<void> {
  for (;;) {
    const good = await goodAnswer(port, 'localhost', false).then(
      () => true,
      () => false,
    );
    if (good) return;
    await sleep(1);
  }
}
