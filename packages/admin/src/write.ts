import { codeOf } from './problem.ts';

/** Waits between the tries, in milliseconds; two seconds together. */
const PAUSES_MS = [10, 20, 40, 80, 160, 320, 640, 730];

/**
 * Changes the store. Where another program writes the database just now, tries again for two seconds, in which requests
 * go on: the store itself does not wait.
 */
export async function write<T>(change: () => T): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return change();
    } catch (error) {
      if (codeOf(error) !== 'DATABASE_BUSY') throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return change();
}
