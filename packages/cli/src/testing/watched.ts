// A backend that remembers what was left allocated when it was disposed of.
import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import type { BackendFactory } from '../main.ts';

type BackendOptions = Parameters<BackendFactory>[0];

export interface Watched {
  readonly backends: Readonly<Record<string, BackendFactory>>;
  /** Bytes still allocated when each of the backends was disposed of. */
  readonly left: number[];
  /** How many were made. */
  made: number;
}

/** The name `watched` for a reference backend under watch. `change` wraps it further. */
export function watched(
  change: (backend: Backend, options: BackendOptions) => Backend = (backend) => backend,
): Watched {
  const watch: Watched = {
    left: [],
    made: 0,
    backends: {
      watched: (options) => {
        watch.made++;
        const backend = reference();
        const dispose = backend[Symbol.dispose].bind(backend);
        backend[Symbol.dispose] = () => {
          watch.left.push(backend.memory.bytes);
          dispose();
        };
        return change(backend as Backend, options);
      },
    },
  };
  return watch;
}
