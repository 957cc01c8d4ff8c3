import { execFile } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SPACE = '64m';
const ATTEMPTS = 20;

/** A separate file system that can be filled. */
export class Disk {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  async mount(): Promise<void> {
    mkdirSync(this.path);
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SPACE},mode=700`, 'tmpfs', this.path]);
  }

  /** Fills it up completely. */
  async fill(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { blocks, bfree, bsize } = statfsSync(this.path);
      try {
        return await this.#resize(String((blocks - bfree) * bsize));
      } catch (error) {
        if (attempt === ATTEMPTS) throw error; // somebody else was writing
      }
    }
  }

  /** Frees the space. */
  clear(): Promise<void> {
    return this.#resize(SPACE);
  }

  async unmount(): Promise<void> {
    await run('umount', ['-l', this.path]);
  }

  // Private

  async #resize(size: string): Promise<void> {
    await run('mount', ['-o', `remount,size=${size}`, this.path]);
  }
}
