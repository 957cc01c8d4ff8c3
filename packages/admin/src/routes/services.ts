import { Failure, type Service as KnownService } from '@cless/model';
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Api } from '../api.ts';
import { checkRollout } from '../deploy/rollout.ts';
import { write } from '../deploy/write.ts';
import { route, SERVICE } from '../http/route.ts';
import { RemovedVolumes, Service, ServiceInput, Traffic } from '../schemas.ts';
import { fromService, toService } from '../wire.ts';
import { knownService } from './known-service.ts';
import { after, flag, limit } from './query.ts';

/** Adds the routes for services and their traffic. */
export function serviceRoutes({ app, store, platform }: Api): void {
  const tag = 'services';
  const known = (name: string) => knownService(store, name);

  route(app, {
    method: 'get',
    path: '/v1/services',
    id: 'listServices',
    tag,
    summary: 'Lists services by name.',
    query: { after: after('a service'), limit },
    answers: {
      200: {
        description: 'A page; `next` is there if there may be more, for `after`.',
        schema: z
          .object({ items: z.array(Service), next: z.string().optional() })
          .meta({ id: 'ServiceList' }),
      },
    },
    handle: ({ query }, context) => {
      const items = store.services(query).map(fromService);
      return context.json({ items, ...(items.length === query.limit && { next: items.at(-1)?.name }) });
    },
  });

  route(app, {
    method: 'get',
    path: '/v1/services/{service}',
    id: 'getService',
    tag,
    summary: 'Gives a service; its version is the ETag.',
    params: SERVICE,
    answers: { 200: { description: 'The service.', schema: Service } },
    problems: [404],
    handle: ({ params }, context) => answer(context, known(params.service)),
  });

  route(app, {
    method: 'put',
    path: '/v1/services/{service}',
    id: 'putService',
    tag,
    summary: 'Creates a service or replaces its definition; revisions and traffic stay.',
    params: SERVICE,
    headers: { 'If-Match': 'Only if it is at this version.', 'If-None-Match': '`*`: only if there is none.' },
    body: ServiceInput,
    answers: {
      200: { description: 'Replaced, or the same already.', schema: Service },
      201: { description: 'Created.', schema: Service },
    },
    problems: [409, 412],
    handle: async ({ params, body }, context) => {
      const { created, service } = await write(() => ({
        created: store.service(params.service) === undefined,
        service: store.put(toService(params.service, body), expectation(context)),
      }));
      if (created) platform.publish({ type: 'service-created', service: service.name });
      return answer(context, service, created ? 201 : 200);
    },
  });

  route(app, {
    method: 'delete',
    path: '/v1/services/{service}',
    id: 'deleteService',
    tag,
    summary: 'Removes a service and its revisions; its instances stop as soon as they are not in use.',
    description:
      'Volumes that its images declared stay, unless they are to be removed, too; those of a service by convention can be removed so as well.',
    params: SERVICE,
    query: {
      volumes: flag.meta({
        description: 'Remove the volumes that its images declared, too, with all that is in them?',
      }),
    },
    headers: { 'If-Match': 'Only if it is at this version.' },
    answers: {
      200: { description: 'Removed; it had volumes.', schema: RemovedVolumes },
      204: { description: 'Removed; it had no volumes.' },
    },
    problems: [404, 412, 503],
    handle: async ({ params: { service }, query }, context) => {
      const { volumes } = platform;
      const before = volumes === undefined ? [] : await volumes.of(service).catch(unless(query.volumes));
      const byConvention = store.service(service) === undefined && query.volumes && before.length > 0;
      if (!byConvention) {
        await write(() => {
          known(service);
          store.remove(service, expectation(context));
        });
        platform.publish({ type: 'service-removed', service });
      }
      if (volumes === undefined || before.length === 0) return context.body(null, 204);
      const left = query.volumes ? await volumes.remove(service) : before;
      const removed = before.filter(({ name }) => left.every((other) => other.name !== name));
      return context.json({ removed, left }, 200);
    },
  });

  route(app, {
    method: 'get',
    path: '/v1/services/{service}/traffic',
    id: 'getTraffic',
    tag,
    summary: 'Gives the traffic of a service; the service’s version is the ETag.',
    params: SERVICE,
    answers: { 200: { description: 'The traffic.', schema: Traffic } },
    problems: [404],
    handle: ({ params }, context) => {
      const { traffic, version } = known(params.service);
      return context.json(traffic, 200, { ETag: etag(version) });
    },
  });

  route(app, {
    method: 'put',
    path: '/v1/services/{service}/traffic',
    id: 'putTraffic',
    tag,
    summary: 'Replaces the traffic of a service, at once for the next request.',
    params: SERVICE,
    headers: { 'If-Match': 'Only if the service is at this version.' },
    body: Traffic,
    answers: { 200: { description: 'The traffic as it is now.', schema: Traffic } },
    problems: [404, 409, 412, 422],
    handle: async ({ params: { service: name }, body }, context) => {
      const { traffic, version } = await write(() => {
        known(name);
        checkRevisions(body, (revision) => store.revision(name, revision) !== undefined);
        for (const tagName of Object.keys(body.tags)) checkTagLength(name, tagName);
        checkRollout(body, (revision) => store.revision(name, revision)?.spec.rollout);
        return store.setTraffic(name, body, expectation(context));
      });
      platform.publish({ type: 'traffic-changed', service: name, splits: traffic.splits });
      return context.json(traffic, 200, { ETag: etag(version) });
    },
  });
}

/**
 * Handles an engine that does not answer: without its list of volumes we can go on, unless the client asked to remove
 * them.
 */
function unless(asked: boolean): (error: unknown) => [] {
  return (error) => {
    if (asked) throw error;
    return [];
  };
}

/** @throws a 400 if the tag makes a label that is too long for a hostname */
export function checkTagLength(service: string, tag: string): void {
  if (`${tag}--${service}`.length <= 63) return;
  const detail = `the label ${tag}--${service} is longer than 63 characters; allowed is a shorter tag`;
  throw new Failure('INVALID_REQUEST', detail, {
    errors: [{ pointer: `#/tags/${tag}`, detail }],
  });
}

function checkRevisions({ splits, tags }: Traffic, exists: (revision: string) => boolean): void {
  const errors = [
    ...splits.map(({ revision }, i) => ({ revision, pointer: `#/splits/${i}/revision` })),
    ...Object.entries(tags).map(([name, revision]) => ({ revision, pointer: `#/tags/${name}` })),
  ]
    .filter(({ revision }) => !exists(revision))
    .map(({ revision, pointer }) => ({ pointer, detail: `there is no revision ${revision}` }));
  if (errors.length > 0) {
    const detail = errors.map((error) => error.detail).join('; ');
    throw new Failure('UNKNOWN_REVISION', detail, { errors });
  }
}

function answer(context: Context, service: KnownService, status: 200 | 201 = 200): Response {
  return context.json(fromService(service), status, { ETag: etag(service.version) });
}

function etag(version: number): string {
  return `"${version}"`;
}

/** The version that a change is meant for (RFC 9110 §13.1). */
function expectation({ req }: Context): { expected?: number | 'absent' } {
  const ifMatch = req.header('if-match');
  const ifNoneMatch = req.header('if-none-match');
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch.trim() !== '*' || ifMatch !== undefined)
      throw new Failure('INVALID_REQUEST', 'Of If-None-Match only * is allowed, without If-Match.');
    return { expected: 'absent' };
  }
  if (ifMatch === undefined || ifMatch.trim() === '*') return {};
  const [, version] = /^(?:W\/)?"(\d{1,15})"$/.exec(ifMatch.trim()) ?? [];
  // An ETag that we never gave out matches no version.
  return { expected: version === undefined ? -1 : Number(version) };
}
