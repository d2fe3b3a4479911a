// The short way in: a folder of Hugging Face files becomes a model that takes and gives text.
import { openFiles, readJson } from '@transept/checkpoint';
import type { Files, JsonObject, OpenFilesOptions } from '@transept/checkpoint';
import { loadModel } from '@transept/models';
import type { LoadedModel, LoadModelOptions } from '@transept/models';
import type { Backend } from '@transept/tensor';
import { loadTokenizer, type Tokenizer } from '@transept/tokenizer';

/** How a model is loaded, and how a hub is asked for it: revision, token, endpoint, cache. */
export interface LoadOptions extends LoadModelOptions, OpenFilesOptions {
  /** Where the model will run. It is not disposed with the model. */
  readonly backend: Backend;
}

/** A model with everything its folder says about it. Disposing it frees its weights. */
export interface TextModel extends Disposable {
  readonly name: string;
  /** Where it was loaded from. */
  readonly files: Files;
  readonly loaded: LoadedModel;
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
  const { backend, ...rest } = options;
  const files = await openFiles(where, rest);
  const signal = options.signal ? { signal: options.signal } : {};
  const optional = async (path: string): Promise<JsonObject | undefined> =>
    (await files.has(path, signal)) ? readJson(files, path, signal) : undefined;
  // The small files first: what is wrong with them shows before the weights are read.
  const [tokenizer, generationConfig] = await Promise.all([
    loadTokenizer(files, signal),
    optional('generation_config.json'),
  ]);
  const loaded = await loadModel(files, backend, rest);
  return {
    name: files.name,
    files,
    loaded,
    tokenizer,
    generationConfig: generationConfig ?? {},
    [Symbol.dispose]: () => loaded[Symbol.dispose](),
  };
}
