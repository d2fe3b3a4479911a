// From the options of a command to a model on a device.
import { existsSync } from 'node:fs';
import { openFiles } from '@transept/checkpoint';
import type { Files } from '@transept/checkpoint';
import { MemoryError } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { load } from 'transept';
import type { TextModel } from 'transept';
import { backendOptions } from './context.ts';
import type { Context, DeviceOptions, ModelOptions, ModuleOptions } from './context.ts';
import { CommandError } from './errors.ts';
import { defaultModel } from './places.ts';
import { megabytes, Progress } from './progress.ts';
import { print } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** A model and the backend that it runs on. Disposing it frees both. */
export interface OpenedModel extends Disposable {
  readonly model: TextModel;
  readonly backend: Backend;
  readonly loadMs: number;
}

/** What names the model that a command was asked for: a folder, a GGUF file, an address, a name on a hub. */
export function modelFolder({ model }: ModelOptions): string {
  if (model !== undefined) return model;
  if (existsSync(`${defaultModel}/config.json`)) return defaultModel;
  throw new CommandError('model: none is given; name the folder or file of one, or org/name on a hub, with --model');
}

/** Its files, wherever they lie. */
export const modelFiles = ({ terminal }: Context, options: ModelOptions): Promise<Files> =>
  openFiles(modelFolder(options), { signal: terminal.signal });

/** Register what `--backend-module` names. */
export async function registerModules({ backends }: Context, { backendModule = [] }: ModuleOptions): Promise<void> {
  for (const path of backendModule) await backends.register(path);
}

/** Load a model onto a new backend. What was made is freed again when something fails. */
export async function openModel(context: Context, options: ModelOptions & DeviceOptions): Promise<OpenedModel> {
  await registerModules(context, options);
  return openOn(context, options.backend, options);
}

/** The same for a backend by name, after its modules were registered. */
export async function openOn(
  context: Context,
  name: string,
  options: ModelOptions & Omit<ModuleOptions, 'backendModule'>,
): Promise<OpenedModel> {
  const { backends, terminal } = context;
  const made = backendOptions(options);
  using undo = new DisposableStack();
  const backend = undo.use(await backends.create(name, made));
  try {
    const began = performance.now();
    const model = undo.use(await loadOn(context, backend, options));
    const loadMs = performance.now() - began;
    await warnOf(terminal, model);
    const owned = undo.move();
    return { model, backend, loadMs, [Symbol.dispose]: () => owned.dispose() };
  } catch (error) {
    const most = made.maxBytes === undefined ? (backend.capabilities.moreMemory?.bytes ?? 0) : 0;
    if (!(error instanceof MemoryError && error.bytes <= most)) throw error;
    const gib = Math.ceil(Math.min(error.bytes + spareBytes, most) / 2 ** 30);
    undo.dispose();
    await print(terminal.stderr, `transept: ${name}: with ${gib} GiB, as --memory ${gib} gives\n`);
    return await openOn(context, name, { ...options, memory: gib });
  }
}

/** What a model takes beside its weights, generously. */
const spareBytes = 2 ** 31;

async function loadOn({ terminal }: Context, backend: Backend, options: ModelOptions): Promise<TextModel> {
  using progress = new Progress(terminal.stderr, `loading on ${backend.name}`);
  return await load(modelFolder(options), {
    backend,
    ...(options.modelType !== undefined && { modelType: options.modelType }),
    ...(options.weights && { weights: options.weights }),
    ...(options.keyValueCache && { keyValueCache: options.keyValueCache }),
    signal: terminal.signal,
    onProgress: ({ bytes, totalBytes, remainingMs }) =>
      progress.update(bytes, totalBytes, `${megabytes(bytes)} of ${megabytes(totalBytes)}${rest(remainingMs)}`),
  });
}

const namedUnused = 3;

/** What was found in loading. Weights that are not read may be harmless, or be missed: that is for people to judge. */
async function warnOf({ stderr }: Terminal, { name, loaded: { warnings, unused } }: TextModel): Promise<void> {
  for (const warning of warnings) await print(stderr, `transept: ${name}: ${warning}\n`);
  if (unused.length === 0) return;
  const names = unused.slice(0, namedUnused).map((tensor) => JSON.stringify(tensor));
  const more = unused.length > namedUnused ? ` and ${unused.length - namedUnused} more` : '';
  await print(stderr, `transept: ${name} has tensors that this model does not read: ${names.join(', ')}${more}\n`);
}

/** What to say of the time that is left, if it is worth a word. */
const rest = (ms = 0): string => (ms < 2000 ? '' : `, ${Math.ceil(ms / 1000)} s left`);
