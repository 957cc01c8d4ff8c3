import { z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import { type Api, HEARTBEAT_MS } from '../api.ts';
import { write } from '../deploy/write.ts';
import { notFound } from '../http/problem.ts';
import { REVISION, route, SERVICE } from '../http/route.ts';
import { Change, Revision, RevisionSchema, Tag } from '../schemas.ts';
import { fromRevision } from '../wire.ts';
import { knownService } from './known-service.ts';
import { after, flag, limit } from './query.ts';
import { checkTagLength } from './services.ts';

/** Adds the routes for revisions and for the deploys that create them. */
export function revisionRoutes({ app, store, platform, deployer, problemOf }: Api): void {
  const tag = 'revisions';
  const toWire = (revision: Parameters<typeof fromRevision>[0]) =>
    fromRevision(revision, deployer.isDeploying(revision.name));

  route(app, {
    method: 'get',
    path: '/v1/services/{service}/revisions',
    id: 'listRevisions',
    tag,
    summary: 'Lists revisions, the newest first.',
    params: SERVICE,
    query: { after: after('a revision'), limit },
    answers: {
      200: {
        description: 'A page; `next` is there if there may be more, for `after`.',
        schema: z
          .object({ items: z.array(Revision), next: z.string().optional() })
          .meta({ id: 'RevisionList' }),
      },
    },
    problems: [404],
    handle: ({ params: { service }, query }, context) => {
      knownService(store, service);
      const items = store.revisions(service, query).map(toWire);
      return context.json({ items, ...(items.length === query.limit && { next: items.at(-1)?.name }) });
    },
  });

  route(app, {
    method: 'post',
    path: '/v1/services/{service}/revisions',
    id: 'deploy',
    tag,
    summary: 'Deploys: makes a revision, waits until it has been ready once, then gives it traffic.',
    description:
      'Answers when the deploy has ended. With `Accept: text/event-stream` its progress is told meanwhile: events `progress`, then `revision` or `problem`. A deploy goes on when the client leaves; only a pull is given up then, or when its registry has said nothing for a minute.',
    params: SERVICE,
    query: {
      traffic: z.coerce
        .number()
        .pipe(z.int().min(0).max(100))
        .default(100)
        .meta({ description: 'The percentage that it gets; the others share the rest. 0: none.' }),
      tag: Tag.optional(),
      pull: flag.meta({ description: 'Pull the image first? Nothing else ever pulls.' }),
      ifChanged: flag.meta({
        description: 'Is the latest revision as good, if it is the same and ready? Then it gets the traffic.',
      }),
      dryRun: flag.meta({ description: 'Only say what would be different from the latest revision.' }),
    },
    body: RevisionSchema,
    answers: {
      200: {
        description: 'Nothing was made: the latest revision is the same, or it was a dry run.',
        schema: z.union([Revision, z.object({ changes: z.array(Change) }).meta({ id: 'Preview' })]),
      },
      201: { description: 'The revision, which is ready.', schema: Revision },
    },
    problems: [404, 409, 422, 503],
    handle: async ({ params: { service }, query, body }, context) => {
      if (query.dryRun) return context.json({ changes: await deployer.preview(service, body, query) });
      knownService(store, service);
      if (query.tag !== undefined) checkTagLength(service, query.tag);
      const left = context.req.raw.signal;
      if (!context.req.header('accept')?.includes('text/event-stream')) {
        const { revision, created } = await deployer.deploy(
          service,
          body,
          { ...query, signal: left },
          () => {},
        );
        return context.json(toWire(revision), created ? 201 : 200);
      }
      return streamSSE(context, async (stream) => {
        const tell = (event: string, data: unknown) =>
          stream.writeSSE({ event, data: JSON.stringify(data) }).catch(() => {});
        const heartbeat = setInterval(
          () => void stream.write(': still at it\n\n').catch(() => {}),
          HEARTBEAT_MS,
        );
        await stream.write(': here\n\n');
        try {
          const { revision, created } = await deployer.deploy(
            service,
            body,
            { ...query, signal: left },
            (step) => void tell('progress', step),
          );
          await tell('revision', { ...toWire(revision), created });
        } catch (error) {
          if (error !== left.reason) await tell('problem', problemOf(error));
        } finally {
          clearInterval(heartbeat);
        }
      });
    },
  });

  route(app, {
    method: 'get',
    path: '/v1/services/{service}/revisions/{revision}',
    id: 'getRevision',
    tag,
    summary: 'Gives a revision, without its secrets.',
    params: REVISION,
    answers: { 200: { description: 'The revision.', schema: Revision } },
    problems: [404],
    handle: ({ params: { service, revision: name } }, context) => {
      knownService(store, service);
      const revision = store.revision(service, name);
      if (revision === undefined) throw notFound('revision', name);
      return context.json(toWire(revision));
    },
  });

  route(app, {
    method: 'delete',
    path: '/v1/services/{service}/revisions/{revision}',
    id: 'deleteRevision',
    tag,
    summary: 'Removes a revision that gets neither traffic nor a tag.',
    params: REVISION,
    answers: { 204: { description: 'Removed.' } },
    problems: [404, 409],
    handle: async ({ params: { service, revision } }, context) => {
      await write(() => {
        knownService(store, service);
        if (!store.removeRevision(service, revision)) throw notFound('revision', revision);
      });
      platform.publish({ type: 'revision-removed', service, revision });
      return context.body(null, 204);
    },
  });
}
