import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '@cless/model';

/** The file with the token, in the state directory. */
export const TOKEN_FILE = 'admin-token';

/**
 * The token in the state directory, which is created at the first start and readable by its owner only.
 *
 * @throws with code `ADMIN_TOKEN`, if its file contains no token, or cannot be written
 */
export function loadToken(directory: string): string {
  const file = join(directory, TOKEN_FILE);
  try {
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') {
      rmSync(file, { force: true }); // it may be half written, on a full disk
      throw new Failure('ADMIN_TOKEN', `no token can be written: ${message}`, { cause: error });
    }
    chmodSync(file, 0o600);
  }
  const token = readFileSync(file, 'utf8').trim();
  if (token.length < 16)
    throw new Failure('ADMIN_TOKEN', `${file} holds no token: remove it, and a new one is made`);
  return token;
}

/** Compares in constant time, also if the lengths differ. */
export function equalTokens(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
