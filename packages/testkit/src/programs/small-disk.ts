import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Only root mounts. */
export const noDisks = process.getuid?.() === 0 ? undefined : 'not root';

/** A file system of one MiB that can be filled to its last page. */
export class SmallDisk {
  readonly path = mkdtempSync(join(tmpdir(), 'cless-disk-'));

  constructor() {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', this.path]);
  }

  fill(): void {
    try {
      for (let i = 0; ; i++) writeFileSync(join(this.path, `filler-${i}`), Buffer.alloc(4096));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  /** Frees the space. */
  clear(): void {
    for (const name of readdirSync(this.path)) if (name.startsWith('filler-')) rmSync(join(this.path, name));
  }

  remove(): void {
    execFileSync('umount', ['-l', this.path]);
    rmSync(this.path, { recursive: true });
  }
}
