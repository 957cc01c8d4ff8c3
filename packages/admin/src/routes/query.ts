import { z } from '@hono/zod-openapi';

/*
 * Query parameters that several routes share.
 */

/** The size of a page. */
export const limit = z.coerce
  .number()
  .pipe(z.int().min(1).max(1_000))
  .default(100)
  .meta({ description: 'At most so many.' });

/** The item after which a page begins. */
export function after(what: string) {
  return z
    .string()
    .max(200)
    .optional()
    .meta({ description: `What comes after ${what} of this name.` });
}

/** A boolean parameter that is off by default. */
export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true');
