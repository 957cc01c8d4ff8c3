import { get } from 'node:http';

/** The body of the answer to `GET /` for a host, as `curl -H 'Host: …'` would print it. */
export function ask(port: number, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent: false, headers: { Host: host } }, (response) => {
      response.setEncoding('utf8').once('data', resolve);
    }).on('error', reject);
  });
}
