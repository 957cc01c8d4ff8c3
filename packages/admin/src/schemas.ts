import type { RevisionInput } from '@cless/model';
import { parseHost } from '@cless/router';
import { z } from 'zod';
import { RevisionSchema } from './revision-schema.ts';

export type { RevisionInput, Volume } from '@cless/model';
export { RevisionSchema, VolumeSchema } from './revision-schema.ts';

/*
 * The requests and answers of the admin API, described once: requests are validated by these schemas, and the OpenAPI
 * document and the JSON Schema of `cless.yaml` are generated from them.
 */

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

export const ServiceName = z
  .string()
  .regex(LABEL, 'allowed are lower-case letters, digits and inner hyphens, at most 63')
  .meta({ description: 'A DNS label (RFC 1123).', examples: ['web', 'shop'] });

export const RevisionName = z
  .string()
  .min(1)
  .max(80)
  .regex(/^[a-z0-9-]+$/, 'allowed is a name like web-00001')
  .meta({ description: 'SERVICE-00001 and so on.', examples: ['web-00001'] });

export const Tag = z
  .string()
  .max(40)
  .regex(LABEL, 'allowed are lower-case letters, digits and inner hyphens')
  .refine((tag) => !tag.includes('--') && tag !== 'xn', 'not allowed are two hyphens in a row, and xn')
  .meta({ description: 'TAG--SERVICE.domain reaches its revision.', examples: ['canary'] });

const Host = z
  .string()
  .max(300)
  .transform((value, context) => {
    try {
      const wildcard = value.startsWith('*.');
      const { name, kind } = parseHost(wildcard ? value.slice(2) : value);
      if (wildcard && kind !== 'name')
        throw new Error(`${JSON.stringify(value)} is not a host: an address has no wildcard`);
      if (/:\d*$/.test(value) && kind !== 'ipv6')
        throw new Error(`${JSON.stringify(value)} is not a host: a host has no port here`);
      return wildcard ? `*.${name}` : kind === 'ipv6' ? `[${name}]` : name;
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
      return z.NEVER;
    }
  })
  .meta({
    description: 'A hostname, an address, or *.parent for one label more.',
    examples: ['web.example'],
  });

const FixedAnswer = z
  .strictObject({
    status: z.int().min(200).max(599).default(200),
    contentType: z
      .string()
      .max(200)
      .regex(/^[\w.+-]+\/[\w.+-]+(?:;[ -~]*)?$/, 'allowed is a media type like text/plain')
      .default('text/plain; charset=utf-8'),
    body: z.string().max(10_000).default(''),
  })
  .refine(
    ({ status, body }) => ![204, 304].includes(status) || body === '',
    'an answer of 204 or 304 has no body',
  )
  .meta({ id: 'FixedAnswer' });

/** A service without its revisions and their traffic. */
export const ServiceInput = z
  .strictObject({
    hosts: z.array(Host).max(1_000).default([]).meta({ description: 'None: it answers to its name.' }),
    revisionHeader: z
      .boolean()
      .default(false)
      .meta({ description: 'May a request choose a revision by the header X-Cless-Revision?' }),
    sticky: z
      .boolean()
      .default(false)
      .meta({ description: 'Do clients stay with the revision that they got first, by a cookie?' }),
    wakeFilter: z
      .strictObject({
        paths: z
          .array(
            z
              .string()
              .max(2_000)
              .regex(/^\/[!-~]*$/, 'allowed is a path, or its beginning with * at the end'),
          )
          .max(100)
          .default([]),
        userAgents: z.array(z.string().min(1).max(200)).max(100).default([]),
        answer: FixedAnswer.optional(),
      })
      .optional()
      .meta({ description: 'Requests that neither wake the service nor keep it awake.' }),
  })
  .meta({ id: 'ServiceInput' });

export type ServiceInput = z.infer<typeof ServiceInput>;

export const Traffic = z
  .strictObject({
    splits: z
      .array(z.strictObject({ revision: RevisionName, percent: z.int().min(1).max(100) }))
      .max(100)
      .refine(
        (splits) => splits.length === 0 || splits.reduce((sum, { percent }) => sum + percent, 0) === 100,
        'the percentages must sum up to 100',
      ),
    tags: z.record(Tag, RevisionName).default({}),
  })
  .meta({
    id: 'Traffic',
    description: 'Whole percentages over revisions that have been ready once, and tags.',
  });

export type Traffic = z.infer<typeof Traffic>;

export const Service = z
  .object({
    name: z.string(),
    hosts: z.array(z.string()),
    revisionHeader: z.boolean(),
    sticky: z.boolean(),
    wakeFilter: z
      .object({
        paths: z.array(z.string()),
        userAgents: z.array(z.string()),
        answer: z.object({ status: z.int(), contentType: z.string(), body: z.string() }).optional(),
      })
      .optional(),
    traffic: z.object({
      splits: z.array(z.object({ revision: z.string(), percent: z.int() })),
      tags: z.record(z.string(), z.string()),
    }),
    version: z.int(),
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Service' });

export type Service = z.infer<typeof Service>;

const ServiceVolume = z.object({
  name: z.string().meta({ description: 'As the engine has it.' }),
  target: z.string().meta({ description: 'Where the service’s containers find it.' }),
});

export const RemovedVolumes = z
  .object({
    removed: z.array(ServiceVolume),
    left: z.array(ServiceVolume).meta({ description: 'Kept, or still in use.' }),
  })
  .meta({ id: 'RemovedVolumes', description: 'The volumes that the images of a service declared.' });
export type RemovedVolumes = z.infer<typeof RemovedVolumes>;

export const LastStart = z
  .object({
    service: z.string(),
    revision: z.string(),
    byConvention: z.boolean().meta({ description: 'Is it of an image by its name, and of no deploy?' }),
    image: z.string().optional().meta({ description: 'The image that the convention names.' }),
    at: z.string(),
    failure: z
      .object({ reason: z.string(), message: z.string(), lastLogLines: z.array(z.string()) })
      .optional()
      .meta({ description: 'Why the last start that has ended failed, and what it wrote last.' }),
  })
  .meta({ id: 'LastStart' });
export type LastStart = z.infer<typeof LastStart>;

export const Revision = z
  .object({
    service: z.string(),
    name: z.string(),
    state: z.enum(['pending', 'ready', 'failed']),
    reason: z.string().optional().meta({ description: 'Why it failed.' }),
    lastLogLines: z
      .array(z.string())
      .optional()
      .meta({ description: 'What it wrote last before it failed.' }),
    imageId: z.string().meta({ description: 'The image’s id when it was deployed.' }),
    spec: z.record(z.string(), z.unknown()).meta({ description: 'As in RevisionInput, without secrets.' }),
    secretNames: z.array(z.string()),
    createdAt: z.string(),
  })
  .meta({ id: 'Revision' });

/** A revision as the API returns it. */
export interface Revision extends Omit<z.infer<typeof Revision>, 'spec'> {
  spec: Omit<RevisionInput, 'secrets'>;
}

export const Change = z
  .object({ field: z.string(), from: z.unknown().optional(), to: z.unknown().optional() })
  .meta({ id: 'Change' });
export type Change = z.infer<typeof Change>;

export const Instance = z
  .object({
    id: z.string(),
    service: z.string(),
    revision: z.string(),
    state: z.string(),
    requests: z.int().meta({ description: 'Requests that it answers just now.' }),
    idleMs: z
      .number()
      .optional()
      .meta({ description: 'For how long nobody has asked for it, in milliseconds.' }),
  })
  .meta({ id: 'Instance' });
export type Instance = z.infer<typeof Instance>;

export const Status = z
  .object({
    version: z.string(),
    runtime: z.string(),
    runtimeConnected: z.boolean(),
    services: z.int(),
    instances: z.record(z.string(), z.int()).meta({ description: 'How many there are in each state.' }),
    waiting: z.int().meta({ description: 'Requests that wait for an instance.' }),
    uptimeMs: z.number(),
  })
  .meta({ id: 'Status' });
export type Status = z.infer<typeof Status>;

export const Problem = z
  .object({
    type: z.string().meta({
      description: 'A URI that leads to what it means and what to do.',
      format: 'uri',
      examples: ['https://github.com/cless-cloud/cless/blob/main/docs/problems.md#host-taken'],
    }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z
      .array(z.object({ pointer: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: 'Every field that is wrong, as a JSON Pointer, and what is allowed.' }),
    revision: z.string().optional(),
    lastLogLines: z.array(z.string()).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });
export type Problem = z.infer<typeof Problem>;

/** How the last line of a log begins that is not whole: the head of its answer has been sent by then. */
export const LOG_BROKE_OFF = 'cless: the log broke off: ';

/** A service with its revision, as in `cless.yaml`. */
export const ServiceFile = z
  .strictObject({
    services: z.record(ServiceName, z.strictObject({ ...ServiceInput.shape, ...RevisionSchema.shape })),
  })
  .meta({
    title: 'cless.yaml',
    description: 'Services and what they are to be; `cless apply -f cless.yaml`.',
  });
export type ServiceFile = z.infer<typeof ServiceFile>;
