import { type IncomingMessage, request as sendRequest } from 'node:http';

/** Sends one request over a new connection. Resolves with the answer, or with why there was none. */
export function send(
  socketPath: string,
  headers: Record<string, string>,
  {
    method = 'GET',
    path,
    body,
    timeoutMs = 20_000,
  }: { method?: string; path: string; body?: string | undefined; timeoutMs?: number },
): Promise<{ status: number; text: string } | string> {
  return new Promise((resolve) => {
    const request = sendRequest(
      { socketPath, method, path, headers, agent: false },
      (response: IncomingMessage) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => (text += part));
        response.on('error', (error) => resolve(error.message));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.on('error', (error) => resolve(error.message)).on('close', () => clearTimeout(timer));
    request.end(body);
  });
}
