// What the address of the page can say: ?backends=cpu,webgpu &threads=2 &model=URL &text=… &turns
import { backendNames } from '../protocol.ts';
import type { BackendName } from '../protocol.ts';

export interface Settings {
  readonly backends: readonly BackendName[];
  readonly threads: number | undefined;
  /** Address of the folder of a model, without a slash at its end, or of a GGUF file. */
  readonly model: string;
  /** Texts to begin with, one a line. */
  readonly text: string | undefined;
  /** Whether backends translate one after the other instead of at the same time. */
  readonly turns: boolean;
  /** What was wrong with the address. Defaults stand in for it. */
  readonly problems: readonly string[];
}

const defaultBackends: readonly BackendName[] = ['cpu', 'webgpu'];
const defaultModel = 'models/marian-de-en';

/** Read the settings from the address of the page. */
export function readSettings(page: URL): Settings {
  const parameters = page.searchParams;
  const problems: string[] = [];

  const names = (parameters.get('backends') ?? '').split(',').filter(Boolean);
  const unknown = names.filter((name) => !isBackendName(name));
  if (unknown.length > 0)
    problems.push(`?backends: there is no ${unknown.join(', ')}; there is ${backendNames.join(', ')}`);
  const known = backendNames.filter((name) => names.includes(name));

  const wanted = parameters.get('threads');
  const threads = wanted === null ? undefined : Number(wanted);
  const threadsRight = threads === undefined || (Number.isInteger(threads) && threads >= 1 && threads <= 64);
  if (!threadsRight) problems.push(`?threads is "${wanted}"; it must be a whole number from 1 to 64`);

  let model = new URL(defaultModel, page);
  try {
    model = new URL(parameters.get('model') ?? defaultModel, page);
    if (!/^https?:$/.test(model.protocol)) throw new TypeError(model.protocol);
  } catch {
    problems.push(
      `?model is "${parameters.get('model')}"; it must be the http(s) address of the folder of a model, or of a .gguf file`,
    );
    model = new URL(defaultModel, page);
  }
  return {
    backends: known.length > 0 ? known : defaultBackends,
    threads: threadsRight ? threads : undefined,
    model: model.href.replace(/\/+$/, ''),
    text: parameters.get('text') ?? undefined,
    turns: parameters.has('turns'),
    problems,
  };
}

const isBackendName = (name: string): name is BackendName => (backendNames as readonly string[]).includes(name);
