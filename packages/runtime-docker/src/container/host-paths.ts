import { realpath } from 'node:fs/promises';
import { isAbsolute, normalize, sep } from 'node:path';
import type { PartialSpec, Refusal } from '@cless/model';
import { startFailed } from '../failures.ts';

/** The folders of the host that may be mounted into containers, with everything below them. */
export class HostPaths {
  readonly #allowed: readonly string[];

  constructor(allowed: readonly string[]) {
    for (const path of allowed) {
      if (!isAbsolute(path)) throw new TypeError(`host path ${path}: allowed are absolute paths`);
    }
    this.#allowed = allowed.map((path) => normalize(path));
  }

  /** The folders of a spec that are not allowed by their names. Where symbolic links lead is checked at the start. */
  refusals({ volumes = [] }: PartialSpec): Refusal[] {
    return volumes.flatMap(({ source }, i) => {
      if (!isAbsolute(source) || this.#allowed.some((root) => isWithin(source, root))) return [];
      const allowed = this.#allowed.join(', ') || 'none';
      const reason = `the host path ${source} is not allowed; allowed are ${allowed}`;
      return [{ field: `volumes/${i}/source`, reason, option: 'hostPaths' }];
    });
  }

  /**
   * Resolves the host folders among the volumes of a spec, so that a symbolic link made by an app cannot lead out of
   * its folder. The engine follows links again when it mounts, so a link created in between would win: whoever can
   * write to an allowed folder is trusted not to do that.
   *
   * @throws with code `START_FAILED`, if one is not allowed or does not exist
   */
  async resolve(spec: {
    readonly image: string;
    readonly volumes?: readonly { readonly source: string }[];
  }): Promise<ReadonlyMap<string, string>> {
    const resolved = new Map<string, string>();
    for (const { source } of spec.volumes ?? []) {
      if (!isAbsolute(source)) continue;
      const real = await realpath(source).catch((error: unknown) => {
        throw startFailed(spec.image, `the host path ${source} cannot be used`, { cause: error });
      });
      const roots = await Promise.all(this.#allowed.map((path) => realpath(path).catch(() => undefined)));
      if (!roots.some((root) => root !== undefined && isWithin(real, root))) {
        throw startFailed(spec.image, `the host path ${source} is not among those that are allowed`);
      }
      resolved.set(source, real);
    }
    return resolved;
  }
}

function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith(sep) ? root : root + sep);
}
