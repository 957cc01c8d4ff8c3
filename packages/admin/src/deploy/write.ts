import { hasCode } from '@cless/model';

/** Pauses between the attempts, in milliseconds; two seconds in total. */
const PAUSES_MS = [10, 20, 40, 80, 160, 320, 640, 730];

/**
 * Changes the store. While another program is writing the database, tries again for up to two seconds, without
 * blocking the event loop.
 */
export async function write<T>(change: () => T): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return change();
    } catch (error) {
      if (!hasCode(error, 'DATABASE_BUSY')) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return change();
}
