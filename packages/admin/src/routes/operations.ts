import { z } from '@hono/zod-openapi';
import type { Api } from '../api.ts';
import { route } from '../http/route.ts';
import { Status } from '../schemas.ts';

const State = z.object({ status: z.string() }).meta({ id: 'State' });

/** Adds the routes for status, health and metrics. */
export function operationRoutes({ app, store, platform }: Api): void {
  const tag = 'operations';
  const startedAt = performance.now();

  route(app, {
    method: 'get',
    path: '/healthz',
    id: 'health',
    tag,
    summary: 'Is the proxy alive?',
    open: true,
    answers: { 200: { description: 'It is.', schema: State } },
    handle: (_, context) => context.json({ status: 'alive' }),
  });

  route(app, {
    method: 'get',
    path: '/readyz',
    id: 'readiness',
    tag,
    summary: 'Can the proxy start instances?',
    open: true,
    answers: {
      200: { description: 'It can.', schema: State },
      503: { description: 'The runtime cannot be reached, or changes would not last.', schema: State },
    },
    handle: (_, context) => {
      const trouble = platform.connected ? platform.lost : 'the runtime cannot be reached';
      return trouble === undefined
        ? context.json({ status: 'ready' })
        : context.json({ status: trouble }, 503);
    },
  });

  route(app, {
    method: 'get',
    path: '/metrics',
    id: 'metrics',
    tag,
    summary: 'Figures for Prometheus.',
    answers: { 200: { description: 'In the text format.', schema: z.string(), type: 'text/plain' } },
    handle: async (_, context) => {
      context.header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
      return context.body(await platform.metrics());
    },
  });

  route(app, {
    method: 'get',
    path: '/v1/status',
    id: 'getStatus',
    tag,
    summary: 'Says how the whole is.',
    answers: { 200: { description: 'The status.', schema: Status } },
    handle: async (_, context) => {
      const { version, runtime, connected, waiting } = platform;
      const instances: Record<string, number> = {};
      for (const { state } of await platform.instances()) instances[state] = (instances[state] ?? 0) + 1;
      return context.json({
        version,
        runtime,
        runtimeConnected: connected,
        services: store.count(),
        instances,
        waiting,
        uptimeMs: Math.round(performance.now() - startedAt),
      });
    },
  });
}
