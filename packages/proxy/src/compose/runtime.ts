import { Failure, type Refusal, type Runtime } from '@cless/model';
import { DockerRuntime } from '@cless/runtime-docker';
import { ProcessRuntime } from '@cless/runtime-process';
import type { Owned } from '../process/owner-claim.ts';
import type { StateDirectory } from '../process/state-directory.ts';
import type { Settings } from '../settings/table.ts';

/** Where a runtime is to work. */
interface Installation {
  readonly settings: Settings;
  readonly state: StateDirectory;
  /** Binds the owner to this state directory, whatever it was bound to. */
  readonly takeOver: boolean;
}

/** A runtime, and what the rest has to know of it. */
export interface ChosenRuntime {
  readonly runtime: Runtime;
  /** The image of a service by convention is called as the service, and this. */
  readonly imageSuffix: string;
  /** Whose instances these are. Undefined where only this state directory knows them. */
  readonly owner?: string;
  /** Binds an owner that somebody named to this state directory. Undefined where nobody else can have it. */
  readonly owned?: Owned | undefined;
}

/** By what `CLESS_RUNTIME` calls them. */
const RUNTIMES: Readonly<Record<Settings['runtime'], (installation: Installation) => ChosenRuntime>> = {
  docker({ settings, state, takeOver }) {
    const isNamed = settings.owner !== '';
    const owner = settings.owner || state.owner(); // its own id is nobody else's
    const runtime = new DockerRuntime({
      owner,
      ports: settings['port-range'],
      hostPaths: settings['host-paths'],
      ...(isNamed && { holder: { id: state.owner(), directory: state.path, takeOver } }),
    });
    return { runtime, owner, owned: isNamed ? runtime : undefined, imageSuffix: settings['image-suffix'] };
  },

  process({ settings, state }) {
    const servicesFile = settings['process-services'];
    if (servicesFile === '')
      throw new Failure(
        'INVALID_SETTING',
        'CLESS_PROCESS_SERVICES: the process runtime needs it; allowed is the path of a JSON file',
      );
    // A service is called what the file calls it.
    return { runtime: new ProcessRuntime({ servicesFile, stateDirectory: state.path }), imageSuffix: '' };
  },
};

/** The runtime that the settings name. @throws {Failure} `INVALID_SETTING` */
export function createRuntime(installation: Installation): ChosenRuntime {
  return RUNTIMES[installation.settings.runtime](installation);
}

/** The settings that are options of runtimes. */
const SETTINGS: Readonly<Record<string, string>> = { hostPaths: 'CLESS_HOST_PATHS' };

/** A refusal in the words of the settings. */
export function explainRefusal({ field, reason, option = '' }: Refusal): { field: string; reason: string } {
  const setting = SETTINGS[option];
  return { field, reason: setting === undefined ? reason : `${reason} (${setting})` };
}
