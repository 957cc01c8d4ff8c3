import { z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import { type Api, HEARTBEAT_MS } from '../api.ts';
import { route } from '../http/route.ts';
import type { PlatformEvent } from '../platform.ts';
import { ServiceName } from '../schemas.ts';

/** A client with this many unread events is disconnected; it can reconnect with the last id it got. */
const MAX_BEHIND = 1_000;

/** Adds the route for events as they happen. */
export function eventRoutes({ app, platform, closing }: Api): void {
  route(app, {
    method: 'get',
    path: '/v1/events',
    id: 'followEvents',
    tag: 'events',
    summary: 'Follows what happens: starts, ready, paused, stopped, deploys, failures with their reasons.',
    description:
      'Server-sent events. With `Last-Event-ID`, first those that came since, as far as they are kept.',
    query: { service: ServiceName.optional().meta({ description: 'Those of this service only.' }) },
    headers: { 'Last-Event-ID': 'The id of the last event that is known already.' },
    answers: { 200: { description: 'Events.', schema: z.string(), type: 'text/event-stream' } },
    handle: ({ query }, context) =>
      streamSSE(context, async (stream) => {
        const queue: PlatformEvent[] = [];
        let wake = () => {};
        const unsubscribe = platform.subscribe((event) => {
          if (query.service !== undefined && event.service !== query.service) return;
          queue.push(event);
          wake();
        }, context.req.header('last-event-id'));
        stream.onAbort(() => wake());
        const end = () => wake();
        closing.addEventListener('abort', end);
        try {
          await stream.write(': here\n\n');
          while (!stream.aborted && !closing.aborted && queue.length < MAX_BEHIND) {
            const event = queue.shift();
            if (event !== undefined) {
              await stream.writeSSE({ id: event.id, event: event.type, data: JSON.stringify(event) });
              continue;
            }
            const { promise, resolve } = Promise.withResolvers<'woken' | 'silence'>();
            wake = () => resolve('woken');
            const timer = setTimeout(() => resolve('silence'), HEARTBEAT_MS);
            if ((await promise) === 'silence') await stream.write(': still here\n\n');
            clearTimeout(timer);
          }
        } finally {
          unsubscribe();
          closing.removeEventListener('abort', end);
        }
      }),
  });
}
