// The short way in: a folder of Hugging Face files becomes a model that takes and gives text.
import { openFiles, readJson } from '@transept/checkpoint';
import type { Files, JsonObject, OpenFilesOptions } from '@transept/checkpoint';
import type { OnDeviceLost } from '@transept/generate';
import { loadModel } from '@transept/models';
import type { LoadedModel, LoadModelOptions } from '@transept/models';
import type { Backend, DeviceLostError } from '@transept/tensor';
import { loadTokenizer, type Tokenizer } from '@transept/tokenizer';
import { LastingModel } from './lasting.ts';

/** How a model is loaded, and how a hub is asked for it: revision, token, endpoint, cache. */
export interface LoadOptions extends LoadModelOptions, OpenFilesOptions {
  /** Where the model will run. It is not disposed with the model. */
  readonly backend: Backend;
  /**
   * Makes another backend where the device of this one is lost: the model is then read again from where it came, and what runs goes
   * on from the tokens so far. Backends made here are disposed with the model. Default: what runs ends with a DeviceLostError.
   */
  readonly onDeviceLost?: (error: DeviceLostError) => Backend | Promise<Backend>;
}

/** A model with everything its folder says about it. Disposing it frees its weights. */
export interface TextModel extends Disposable {
  readonly name: string;
  /** Where it was loaded from. */
  readonly files: Files;
  /** The weights on their device: on the latest one where others were lost. */
  readonly loaded: LoadedModel;
  /** Gives `loaded` on a device that is there. Undefined where `load` was not told how to come to one. */
  readonly recover?: OnDeviceLost | undefined;
  /** Undefined where the folder has none. */
  readonly tokenizer: Tokenizer | undefined;
  /** Contents of generation_config.json, empty where there is none. */
  readonly generationConfig: JsonObject;
}

/**
 * Load a model from a folder or a GGUF file (Node), an http(s) address of one, `org/name` on a hub, or `Files`. Reads config.json,
 * the weights, and where they exist the tokenizer and generation_config.json. A load that fails leaves nothing allocated.
 */
export async function load(where: string | URL | Files, options: LoadOptions): Promise<TextModel> {
  const { backend, onDeviceLost, ...rest } = options;
  const files = await openFiles(where, rest);
  const signal = options.signal ? { signal: options.signal } : {};
  const optional = async (path: string): Promise<JsonObject | undefined> =>
    (await files.has(path, signal)) ? readJson(files, path, signal) : undefined;
  const stop = new AbortController();
  const either = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
  // The weights are read while the tokenizer is made; what is wrong with the small files ends that.
  const small = Promise.all([loadTokenizer(files, signal), optional('generation_config.json')]);
  const model = loadModel(files, backend, { ...rest, signal: either });
  // Its failure is told when its turn comes.
  model.catch(() => {});
  const [tokenizer, generationConfig] = await small.catch(async (error: unknown) => {
    stop.abort();
    (await model.catch(() => undefined))?.[Symbol.dispose]();
    throw error;
  });
  const loaded = await model;
  const { signal: _, ...anew } = rest;
  const lasting =
    onDeviceLost &&
    new LastingModel(loaded, { name: files.name, backend: onDeviceLost, load: (on) => loadModel(files, on, anew) });
  return {
    name: files.name,
    files,
    get loaded() {
      return lasting?.loaded ?? loaded;
    },
    recover: lasting?.recover,
    tokenizer,
    generationConfig: generationConfig ?? {},
    [Symbol.dispose]: () => (lasting ?? loaded)[Symbol.dispose](),
  };
}
