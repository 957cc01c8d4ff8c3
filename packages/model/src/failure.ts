import { type Code, isCode, kebab } from './codes.ts';
import type { Endpoint } from './endpoint.ts';

/** The facts of failures besides their message, by code. Other codes have none. */
interface FactsByCode {
  readonly BACKOFF: { readonly retryAfterMs: number };
  /** About an instance that ended by itself, as far as the runtime knows. */
  readonly START_FAILED: {
    readonly exitCode?: number | undefined;
    readonly oomKilled?: boolean;
    /** The last lines the instance wrote, oldest first. */
    readonly lastLogLines?: readonly string[];
    readonly image?: string;
    readonly reason?: string;
  };
  readonly NOT_READY: {
    readonly timeoutMs: number;
    readonly attempts?: number;
    readonly endpoint?: Endpoint;
  };
  readonly REPLACED: { readonly by: { readonly service: string; readonly id: string } };
  /** `reason`: the rule that the value breaks. */
  readonly INVALID_HOST: { readonly reason?: string };
  readonly HOST_TAKEN: { readonly host: string; readonly owner: string };
  readonly SERVICE_NOT_FOUND: { readonly service?: string };
  readonly REVISION_NOT_FOUND: { readonly service?: string; readonly revision?: string };
  readonly REVISION_NOT_READY: { readonly revision: string };
  /** The current version; undefined if there is no such service. */
  readonly VERSION_CONFLICT: { readonly current: number | undefined };
  readonly IMAGE_NOT_FOUND: { readonly image?: string; readonly errors?: readonly FieldError[] };
  readonly PULL_FAILED: { readonly image?: string };
  readonly NETWORK_NOT_FOUND: { readonly network: string };
  readonly INSTANCE_NOT_FOUND: { readonly id?: string };
  readonly NO_FREE_PORT: { readonly from: number; readonly to: number };
  /** The path of the state directory that has the owner; undefined if unknown. */
  readonly OWNER_TAKEN: { readonly owner: string; readonly directory: string | undefined };
  /** The status of the engine's answer. */
  readonly ENGINE_REFUSED: { readonly status: number };
  readonly INVALID_REQUEST: { readonly errors?: readonly FieldError[] };
  readonly UNKNOWN_REVISION: { readonly errors: readonly FieldError[] };
  readonly NOT_ALLOWED: { readonly errors?: readonly FieldError[] };
  readonly ROLLOUT_REPLACES: { readonly errors: readonly FieldError[] };
  readonly DEPLOY_FAILED: { readonly revision: string; readonly lastLogLines: readonly string[] };
}

/** A wrong field of a request: a JSON Pointer to it, and what is allowed there. */
export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

export type FactsOf<C extends Code> = C extends keyof FactsByCode ? FactsByCode[C] : object;

type Given<C extends Code> = FactsOf<C> & { readonly cause?: unknown };

/**
 * Every error of cLess: a code of the table, a message for people, and the facts that belong to the code as fields.
 * Each package contains its own copy of this class, and others may throw errors with the same codes, so use {@link
 * hasCode} and never `instanceof`.
 */
export class Failure<C extends Code = Code> extends Error {
  override readonly name = 'Failure';
  readonly code: C;

  constructor(code: C, message: string, ...[given]: object extends Given<C> ? [Given<C>?] : [Given<C>]) {
    const { cause, ...facts }: { readonly cause?: unknown } = given ?? {};
    super(message, { cause });
    this.code = code;
    Object.assign(this, facts);
  }
}

/** An error with this code, thrown by any package. */
export type Failed<C extends Code> = Error & { readonly code: C } & FactsOf<C>;

/** Does the error have one of these codes, and so their facts? */
export function hasCode<C extends Code>(error: unknown, ...codes: readonly C[]): error is Failed<C> {
  const code = codeOf(error);
  return codes.some((one) => one === code);
}

/** The code of an error, including those of the system (`ECONNRESET`); undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The same, if the code is in the table; undefined otherwise. */
export function knownCodeOf(error: unknown): Code | undefined {
  const code = codeOf(error);
  return code !== undefined && isCode(code) ? code : undefined;
}

/** The reason of a failure, as written in events and metrics: `START_FAILED` → `start-failed`. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return code === undefined ? 'unknown' : kebab(code);
}

export function shuttingDown(): Failure {
  return new Failure('SHUTTING_DOWN', 'the proxy is shutting down');
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
