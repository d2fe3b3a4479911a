// What a worker does: one backend, one model on it, and the calls of the page.
import { resolveOptions, stream } from '@transept/generate';
import type { GenerateOptions } from '@transept/generate';
import type { Backend } from '@transept/tensor';
import { load } from 'transept';
import type { TextModel } from 'transept';
import type { Calls, Memory, Translation } from '../protocol.ts';
import type { CallContext, Handlers } from '../rpc/serve.ts';
import { createBackend } from './backends.ts';
import { countingFetch } from './download.ts';
import { attend, force } from './forced.ts';
import { modelFiles } from './model-files.ts';

interface Loaded {
  readonly backend: Backend;
  readonly model: TextModel;
}

/** `onLost` is called when the device goes away. */
export function handlers(onLost: (reason: string) => void): Handlers<Calls> {
  let loaded: Loaded | undefined;
  const current = (): Loaded => {
    if (!loaded) throw new Error('worker: no model is loaded; open one first');
    return loaded;
  };

  return {
    async open({ backend: name, threads, model: source }, { report, signal }) {
      const start = performance.now();
      let backend: Backend;
      try {
        backend = await createBackend(name, { threads });
      } catch (error) {
        return { ok: false, reason: (error as Error).message };
      }
      void backend.lost.then((error) => onLost(error.message));
      const ready = performance.now();
      const files = await modelFiles(source, { fetch: countingFetch(report), signal });
      // What is fetched is counted as it comes; what is here already, as it is read.
      const model = await load(files, { backend, signal, ...(typeof source !== 'string' && { onProgress: report }) });
      const { kind, modelType } = model.loaded.model;
      if (kind !== 'encoder-decoder')
        throw new Error(`open: ${files.name} is a "${modelType}", which has no encoder; this page takes translators`);
      if (!model.tokenizer) throw new Error(`open: ${files.name} has no tokenizer.json; this page needs one`);
      loaded = { backend, model };
      return {
        ok: true,
        model: {
          backendMs: ready - start,
          modelMs: performance.now() - ready,
          details: backend.capabilities.details,
          modelType,
          memory: memoryOf(backend),
        },
      };
    },
    translate: ({ text }, context) => translate(current(), text, context),
    force: ({ pairs }, context) => force(current().model.loaded, pairs, context),
    attend: ({ pair }, context) => attend(current().model.loaded, pair, context),
  };
}

async function translate(
  { backend, model }: Loaded,
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
    memory: memoryOf(backend),
  };
}

/** What the decoder begins with. */
function startToken({ loaded, generationConfig }: TextModel): number {
  const { decoderStartTokenId } = resolveOptions({ config: loaded.config, generationConfig });
  if (decoderStartTokenId === undefined)
    throw new Error('translate: neither config.json nor generation_config.json has a decoder_start_token_id');
  return decoderStartTokenId;
}

const memoryOf = ({ memory: { bytes, peak } }: Backend): Memory => ({ bytes, peak });
