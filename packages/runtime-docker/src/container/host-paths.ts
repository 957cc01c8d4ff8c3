import { realpath } from 'node:fs/promises';
import { isAbsolute, normalize, sep } from 'node:path';
import type { PartialSpec, Refusal } from '@cless/model';
import { StartFailedError } from '../errors.ts';

/** The folders of the host that containers may be given, with all that is in them. */
export class HostPaths {
  readonly #allowed: readonly string[];

  constructor(allowed: readonly string[]) {
    for (const path of allowed) {
      if (!isAbsolute(path)) throw new TypeError(`host path ${path}: allowed are absolute paths`);
    }
    this.#allowed = allowed.map((path) => normalize(path));
  }

  /** Those of a spec's folders that are not allowed by what they are called; where links lead is seen by a start. */
  refusals({ volumes = [] }: PartialSpec): Refusal[] {
    return volumes.flatMap(({ source }, i) => {
      if (!isAbsolute(source) || this.#allowed.some((root) => isWithin(source, root))) return [];
      const allowed = this.#allowed.join(', ') || 'none';
      const reason = `the host path ${source} is not allowed; allowed are ${allowed}`;
      return [{ field: `volumes/${i}/source`, reason, option: 'hostPaths' }];
    });
  }

  /**
   * The host's folders among the volumes of a spec, as they really are: a symbolic link that an app has made in its
   * folder leads nowhere else. The engine follows links once more when it mounts, so a link that is put there in between
   * would win: whoever writes to an allowed folder, on the host or in a container that has it, is trusted not to.
   *
   * @throws {StartFailedError} if one is not allowed, or not there
   */
  async resolve(spec: {
    readonly image: string;
    readonly volumes?: readonly { readonly source: string }[];
  }): Promise<ReadonlyMap<string, string>> {
    const resolved = new Map<string, string>();
    for (const { source } of spec.volumes ?? []) {
      if (!isAbsolute(source)) continue;
      const real = await realpath(source).catch((error: unknown) => {
        throw new StartFailedError(spec.image, `the host path ${source} cannot be used`, { cause: error });
      });
      const roots = await Promise.all(this.#allowed.map((path) => realpath(path).catch(() => undefined)));
      if (!roots.some((root) => root !== undefined && isWithin(real, root))) {
        throw new StartFailedError(spec.image, `the host path ${source} is not among those that are allowed`);
      }
      resolved.set(source, real);
    }
    return resolved;
  }
}

function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}
