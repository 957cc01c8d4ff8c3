import type { Forwarder } from '../forward/forwarder.ts';
import { UndiciForwarder } from '../forward/undici.ts';
import type { Settings } from '../settings/table.ts';

export async function composeForwarder(
  settings: Pick<Settings, 'forwarder' | 'response-timeout'>,
): Promise<Forwarder> {
  const options = { responseTimeoutMs: settings['response-timeout'] };
  switch (settings.forwarder) {
    case 'undici':
      return new UndiciForwarder(options);
    case 'http-proxy-3': {
      const { HttpProxy3Forwarder } = await import('../forward/http-proxy-3.ts');
      return new HttpProxy3Forwarder(options);
    }
  }
}
