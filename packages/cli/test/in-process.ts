import { AdminServer } from '@cless/admin';
import { MemoryStore } from '@cless/store';
import { FakePlatform } from '@cless/testkit';
import { vi } from 'vitest';
import { createProgram, run } from '../src/program.ts';

const TOKEN = 'a-token-for-tests';

/** The output of a command and its exit code. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** An admin API with a fake platform, and the CLI's commands in this process. */
export class Host {
  readonly store = new MemoryStore();
  readonly platform = new FakePlatform();
  #admin: AdminServer | undefined;

  /** Starts it, and sets the environment so that the CLI finds it. */
  static async start(): Promise<Host> {
    const host = new Host();
    const { store, platform } = host;
    const listen = { host: '127.0.0.1', port: 0 };
    host.#admin = await AdminServer.start({ store, platform, token: TOKEN, openMetrics: false, listen });
    vi.stubEnv('CLESS_ADMIN_URL', `http://127.0.0.1:${host.#admin.address.port}`);
    vi.stubEnv('CLESS_ADMIN_TOKEN', TOKEN);
    vi.stubEnv('NO_COLOR', '1');
    return host;
  }

  /** Runs `cless` with these arguments. */
  async cless(...args: string[]): Promise<Said> {
    const { said, code } = this.start(...args);
    return { code: await code, ...said };
  }

  /** The same, with what it has said so far. Only one at a time. */
  start(...args: string[]): { readonly said: Omit<Said, 'code'>; readonly code: Promise<number> } {
    const said = { out: '', err: '' };
    const listen = (stream: NodeJS.WriteStream, name: 'out' | 'err') =>
      vi.spyOn(stream, 'write').mockImplementation((text) => {
        said[name] += text;
        return true;
      });
    const spies = [listen(process.stdout, 'out'), listen(process.stderr, 'err')];
    const code = run(createProgram('1.2.3'), args).finally(() => {
      for (const spy of spies) spy.mockRestore();
    });
    return { said, code };
  }

  /** Deploys an image, which gets ready unless the platform is told to fail. */
  deploy(service: string, image = 'web:1', ...more: string[]): Promise<Said> {
    return this.cless('deploy', service, '--image', image, ...more);
  }

  async close(): Promise<void> {
    await this.#admin?.close();
    vi.unstubAllEnvs();
  }
}
