import { Failure, type Refusal, type Runtime } from '@cless/model';
import type { Owned } from '../process/owner-claim.ts';
import type { StateDirectory } from '../process/state-directory.ts';
import type { Settings } from '../settings/table.ts';

/** What a runtime is created from. */
interface Installation {
  readonly settings: Settings;
  readonly state: StateDirectory;
  /** Bind the owner to this state directory even if it is bound to another one? */
  readonly takeOver: boolean;
}

/** A runtime and what the rest needs to know about it. */
export interface ChosenRuntime {
  readonly runtime: Runtime;
  /** Appended to a service's name to make its image's name by convention. */
  readonly imageSuffix: string;
  /** The owner of the instances; undefined if only this state directory knows them. */
  readonly owner?: string;
  /** Binds a named owner to this state directory; undefined if nobody else can have the owner. */
  readonly owned?: Owned | undefined;
}

/** Keyed by the value of `CLESS_RUNTIME`. Only the chosen one is loaded, since each takes memory. */
const RUNTIMES: Readonly<
  Record<Settings['runtime'], (installation: Installation) => Promise<ChosenRuntime>>
> = {
  async docker({ settings, state, takeOver }) {
    const { DockerRuntime } = await import('@cless/runtime-docker');
    const isNamed = settings.owner !== '';
    const owner = settings.owner || state.owner(); // a random id is unique
    const runtime = new DockerRuntime({
      owner,
      ports: settings['port-range'],
      hostPaths: settings['host-paths'],
      ...(isNamed && { holder: { id: state.owner(), directory: state.path, takeOver } }),
    });
    return { runtime, owner, owned: isNamed ? runtime : undefined, imageSuffix: settings['image-suffix'] };
  },

  async process({ settings, state }) {
    const { ProcessRuntime } = await import('@cless/runtime-process');
    const servicesFile = settings['process-services'];
    if (servicesFile === '')
      throw new Failure(
        'INVALID_SETTING',
        'CLESS_PROCESS_SERVICES: the process runtime needs it; allowed is the path of a JSON file',
      );
    // The services file names services without a suffix.
    return { runtime: new ProcessRuntime({ servicesFile, stateDirectory: state.path }), imageSuffix: '' };
  },
};

/** Creates the runtime that the settings name. @throws {Failure} `INVALID_SETTING` */
export function createRuntime(installation: Installation): Promise<ChosenRuntime> {
  return RUNTIMES[installation.settings.runtime](installation);
}

/** The setting for each option of a runtime. */
const SETTINGS: Readonly<Record<string, string>> = { hostPaths: 'CLESS_HOST_PATHS' };

/** Explains a refusal in terms of the settings. */
export function explainRefusal({ field, reason, option = '' }: Refusal): { field: string; reason: string } {
  const setting = SETTINGS[option];
  return { field, reason: setting === undefined ? reason : `${reason} (${setting})` };
}
