// What a worker does: one backend, one model on it, and the calls of the page. Where the device is lost, calls go on on another.
import { resolveOptions, stream, surviving } from '@transept/generate';
import type { GenerateOptions } from '@transept/generate';
import type { LoadedModel } from '@transept/models';
import type { Backend } from '@transept/tensor';
import { load } from 'transept';
import type { TextModel } from 'transept';
import type { BackendName, Calls, News, Translation } from '../protocol.ts';
import type { CallContext, Handlers } from '../rpc/serve.ts';
import type { BackendOptions } from './backends.ts';
import { countingFetch } from './download.ts';
import { attend, force } from './forced.ts';
import { deviceOf, patiently, replaceLost } from './loss.ts';
import { modelFiles } from './model-files.ts';

/** What a worker has around it. */
export interface Surroundings {
  readonly createBackend: (name: BackendName, options: BackendOptions) => Promise<Backend>;
  readonly tell: (news: News) => void;
  /** The device is gone, and there is no other. */
  readonly end: (reason: string) => void;
}

export function handlers({ createBackend, tell, end }: Surroundings): Handlers<Calls> {
  let opened: TextModel | undefined;
  const current = (): TextModel => {
    if (!opened) throw new Error('worker: no model is loaded; open one first');
    return opened;
  };

  return {
    async open({ backend: name, threads, model: source }, { report, signal }) {
      const start = performance.now();
      const create = (): Promise<Backend> => createBackend(name, { threads });
      let backend: Backend;
      try {
        backend = await create();
      } catch (error) {
        return { ok: false, reason: (error as Error).message };
      }
      const ready = performance.now();
      const files = await modelFiles(source, { fetch: countingFetch(report), signal });
      const onDeviceLost = (): Promise<Backend> => patiently(create);
      // What is fetched is counted as it comes; what is here already, as it is read.
      const onProgress = typeof source !== 'string' && { onProgress: report };
      const model = await load(files, { backend, onDeviceLost, signal, ...onProgress });
      // As those that take its place do, the backend goes with the weights, and after them.
      model.loaded.keep({ [Symbol.dispose]: () => queueMicrotask(() => backend[Symbol.dispose]()) });
      const { kind, modelType } = model.loaded.model;
      if (kind !== 'encoder-decoder')
        throw new Error(`open: ${files.name} is a "${modelType}", which has no encoder; this page takes translators`);
      if (!model.tokenizer) throw new Error(`open: ${files.name} has no tokenizer.json; this page needs one`);
      opened = model;
      void replaceLost(model, tell).then(end);
      return {
        ok: true,
        model: {
          backendMs: ready - start,
          modelMs: performance.now() - ready,
          modelType,
          ...deviceOf(model),
        },
      };
    },
    translate: ({ text }, context) => translate(current(), text, context),
    force: ({ pairs }, context) => lasting(current(), (loaded) => force(loaded, pairs, context)),
    attend: ({ pair }, context) => lasting(current(), (loaded) => attend(loaded, pair, context)),
  };
}

const lasting = <T>({ loaded, recover }: TextModel, work: (loaded: LoadedModel) => Promise<T>): Promise<T> =>
  surviving(loaded, recover, work);

async function translate(
  model: TextModel,
  text: string,
  { report, signal }: CallContext<Calls['translate']['reports']>,
): Promise<Translation> {
  const start = performance.now();
  const tokenizer = model.tokenizer!;
  const sourceIds = tokenizer.encode(text).ids;
  const targetIds = [startToken(model)];
  const decoder = tokenizer.stream();
  let [translated, firstTokenMs, kernelCalls] = ['', 0, 0];
  const options: GenerateOptions = {
    generationConfig: model.generationConfig,
    numBeams: 1,
    signal,
    ...(model.recover && { onDeviceLost: model.recover }),
    onStep: ({ dispatches }) => (kernelCalls = dispatches),
  };
  for await (const [id] of stream(model.loaded, { inputIds: [sourceIds] }, options)) {
    if (targetIds.length === 1) firstTokenMs = performance.now() - start;
    targetIds.push(id!);
    const piece = decoder.push(id!);
    translated += piece;
    report({ text: piece, tokens: targetIds.length - 1 });
  }
  const restMs = performance.now() - start - firstTokenMs;
  translated += decoder.end();
  const tokens = (ids: readonly number[]): string[] => ids.map((id) => tokenizer.idToToken(id) ?? `#${id}`);
  return {
    text: translated,
    sourceIds,
    targetIds,
    sourceTokens: tokens(sourceIds),
    targetTokens: tokens(targetIds.slice(1)),
    firstTokenMs,
    restMs,
    kernelCalls,
    memory: deviceOf(model).memory,
  };
}

/** What the decoder begins with. */
function startToken({ loaded, generationConfig }: TextModel): number {
  const { decoderStartTokenId } = resolveOptions({ config: loaded.config, generationConfig });
  if (decoderStartTokenId === undefined)
    throw new Error('translate: neither config.json nor generation_config.json has a decoder_start_token_id');
  return decoderStartTokenId;
}
