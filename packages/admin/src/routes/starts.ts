import { Failure } from '@cless/model';
import type { Api } from '../api.ts';
import { route, SERVICE } from '../http/route.ts';
import { LastStart } from '../schemas.ts';

/** Adds the route for the last start, also of services by convention. */
export function startRoutes({ app, store, platform }: Api): void {
  route(app, {
    method: 'get',
    path: '/v1/services/{service}/start',
    id: 'getLastStart',
    tag: 'services',
    summary: 'Tells how the last start of a service went, also of one by convention, and why it failed.',
    params: SERVICE,
    answers: { 200: { description: 'The last start since the proxy runs.', schema: LastStart } },
    problems: [404],
    handle: ({ params: { service } }, context) => {
      const last = platform.lastStart(service);
      if (last === undefined)
        throw new Failure('SERVICE_NOT_FOUND', `Nothing of ${service} was started since the proxy runs.`);
      const { image, ...start } = last;
      const byConvention = store.revision(service, start.revision) === undefined;
      return context.json({ ...start, byConvention, ...(byConvention && image !== undefined && { image }) });
    },
  });
}
