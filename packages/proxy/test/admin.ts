import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * How many requests a service's instances have now, according to the admin API of the proxy with this state
 * directory.
 */
export async function requestsOf(service: string, stateDirectory: string): Promise<number> {
  const read = (file: string) => readFileSync(join(stateDirectory, file), 'utf8').trim();
  const response = await fetch(`${read('admin-url')}/v1/instances?service=${service}`, {
    headers: { Authorization: `Bearer ${read('admin-token')}` },
  });
  const { items }: { items: { requests: number }[] } = JSON.parse(await response.text());
  return items.reduce((sum, { requests }) => sum + requests, 0);
}
