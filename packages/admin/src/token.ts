import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the token of an installation is, in its state directory. */
export const TOKEN_FILE = 'admin-token';

/** The file of the token holds none, or cannot be written. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly code = 'ADMIN_TOKEN';
}

/** The token that the state directory has; made at the first start, for its owner's eyes only. @throws {TokenError} */
export function loadToken(directory: string): string {
  const file = join(directory, TOKEN_FILE);
  try {
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST') {
      rmSync(file, { force: true }); // half of one, on a disk that is full
      throw new TokenError(`no token can be written: ${message}`, { cause: error });
    }
    chmodSync(file, 0o600);
  }
  const token = readFileSync(file, 'utf8').trim();
  if (token.length < 16) throw new TokenError(`${file} holds no token: remove it, and a new one is made`);
  return token;
}

/** Compares in constant time, whatever the lengths. */
export function equalTokens(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
