import { Failure, hasCode } from '@cless/model';
import { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import type { Api } from './api.ts';
import { Deployer } from './deploy/deployer.ts';
import { challenge, type GuardOptions, guard } from './http/guard.ts';
import { answerProblem, isForOperator, problemOf } from './http/problem.ts';
import { readerPage } from './http/reader.ts';
import type { Platform, Store } from './platform.ts';
import { eventRoutes } from './routes/events.ts';
import { instanceRoutes } from './routes/instances.ts';
import { operationRoutes } from './routes/operations.ts';
import { revisionRoutes } from './routes/revisions.ts';
import { serviceRoutes } from './routes/services.ts';
import { startRoutes } from './routes/starts.ts';

export interface AdminOptions extends GuardOptions {
  readonly store: Store;
  readonly platform: Platform;
  /** Called with each unexpected error. */
  readonly onError?: (error: unknown) => void;
  /** Aborted when the API closes: streams end, and no deploy is begun. */
  readonly closing?: AbortSignal;
}

const MAX_BODY_BYTES = 1024 * 1024;

/** The admin API as an app that answers `Request`s. */
export function createApp({
  store,
  platform,
  onError,
  closing = new AbortController().signal,
  ...guarding
}: AdminOptions): OpenAPIHono {
  const app = new OpenAPIHono();
  const report = (error: unknown) => {
    if (isForOperator(error)) onError?.(error);
  };
  app.onError((error, context) => {
    // The client has gone, which is not an error.
    if (context.req.raw.signal.aborted) return context.body(null);
    report(error);
    if (hasCode(error, 'UNAUTHORIZED')) context.header('WWW-Authenticate', challenge(context.req.path));
    return answerProblem(context, error);
  });
  app.notFound((context) => {
    const { method, path } = context.req;
    const text = `There is no ${method} ${path}; /openapi.json says what there is.`;
    return answerProblem(context, new Failure('NOT_FOUND', text));
  });
  app.use(async (context, next) => {
    await next();
    context.header('X-Content-Type-Options', 'nosniff');
    context.header(
      'Content-Security-Policy',
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
    if (!context.res.headers.has('Cache-Control')) context.header('Cache-Control', 'no-store');
    // Answer a change only once all workers know it, so that it holds for the client's next request.
    if (context.req.method !== 'GET') await platform.applied();
  });
  app.use(guard(guarding));
  app.use(async (context, next) => {
    const { lost } = platform;
    if (lost !== undefined && !['GET', 'HEAD'].includes(context.req.method))
      throw new Failure('STATE_LOST', `Nothing can be changed: ${lost}.`);
    await next();
  });
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new Failure('BODY_TOO_LARGE', `The body is larger than ${MAX_BODY_BYTES} bytes.`);
      },
    }),
  );

  const deployer = new Deployer(store, platform, closing);
  const api: Api = {
    app,
    store,
    platform,
    deployer,
    closing,
    problemOf: (error) => {
      report(error);
      return problemOf(error);
    },
  };
  serviceRoutes(api);
  startRoutes(api);
  revisionRoutes(api);
  instanceRoutes(api);
  eventRoutes(api);
  operationRoutes(api);
  describe(api);
  return app;
}

/** Adds the OpenAPI document and a page to read it. */
function describe({ app, platform }: Api): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' });
  const about = {
    openapi: '3.1.0',
    info: {
      title: 'cLess admin API',
      version: platform.version,
      description: 'Services, revisions, traffic and instances of one cLess host.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'this host' }],
    security: [{ token: [] }],
  };
  app.doc31('/openapi.json', about);
  app.get('/docs', (context) => context.html(readerPage(app.getOpenAPI31Document(about))));
}
