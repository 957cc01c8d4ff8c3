import { request as sendRequest } from 'node:http';

const SOCKET = '/var/run/docker.sock';

/** One bare call of the engine's API, with nothing in between. */
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

/** Asks until there is a good answer, without ever waiting. */
export async function firstGoodAnswer(port: number): Promise<void> {
  for (;;) {
    const good = await new Promise<boolean>((resolve) => {
      const request = sendRequest({ host: '127.0.0.1', port, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      request.on('error', () => resolve(false));
      request.end();
    });
    if (good) return;
  }
}
