import { z } from '@hono/zod-openapi';

/*
 * Fields that several queries have.
 */

/** How much of a list. */
export const limit = z.coerce
  .number()
  .pipe(z.int().min(1).max(1_000))
  .default(100)
  .meta({ description: 'At most so many.' });

/** Where in a list. */
export function after(what: string) {
  return z
    .string()
    .max(200)
    .optional()
    .meta({ description: `What comes after ${what} of this name.` });
}

/** Off unless it is said. */
export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');
