// What a decoder reads besides its own tokens: an encoded source, computed once, or a padded prompt.
import type { DecoderModel, EncoderDecoderModel, LoadedModel } from '@transept/models';
import { cast, gatherRange, reshape, trace, transpose } from '@transept/tensor';
import { countedPositions } from './batch.ts';
import type { Batch } from './batch.ts';
import type { Context } from './decoding.ts';
import { instantiate } from './instance.ts';
import type { OnPrepare } from './instance.ts';

/** The size of the batches that a context takes. */
export interface ContextSize {
  /** Sources or prompts. */
  readonly rows: number;
  /** Positions of each, padding included. */
  readonly length: number;
  /** Rows decoded for each, for beams. */
  readonly copies: number;
  readonly signal?: AbortSignal | undefined;
  readonly onPrepare?: OnPrepare | undefined;
}

/** Sources go through the encoder; what the decoder's cross-attention reads of them is computed once. */
export async function sourceContext(
  loaded: LoadedModel,
  model: EncoderDecoderModel,
  { rows, length, copies, signal, onPrepare }: ContextSize,
): Promise<Context> {
  const { sourceFeatures } = model;
  const shapes: (readonly number[])[] = [];
  const traced = trace(`${model.modelType} encoder`, (g) => {
    const inputs = sourceFeatures
      ? { features: g.input('features', [rows, ...sourceFeatures]) }
      : { ids: g.input('ids', [rows, length], 'i32'), mask: g.input('mask', [rows, length], 'i32') };
    const keyValues = model.crossKeyValues(g, model.encode(g, inputs));
    shapes.push(...keyValues.map((kv) => kv.shape));
    return Object.fromEntries(keyValues.map((kv, i) => [`cross.${i}`, cast(kv, loaded.keyValueCache)]));
  });
  const encoder = await instantiate(loaded, traced, { signal, onPrepare });
  const read = ([name]: readonly [string, unknown]): boolean => name === 'mask' || name.startsWith('cross.');
  return {
    loaded,
    model,
    rows: rows * copies,
    bytes: encoder.bytes,
    bind: Object.fromEntries(Object.entries(encoder.buffers).filter(read)),
    logits(g, { ids, caches }) {
      const keyValues = shapes.map((shape, i) => g.input(`cross.${i}`, shape, loaded.keyValueCache));
      const cross = { keyValues, ...(!sourceFeatures && { mask: g.input('mask', [rows, length], 'i32') }) };
      const out = model.decode(g, { ids, start: g.scalar('start'), caches, lastOnly: true }, cross); // [R, 1, V]
      return reshape(out, [rows * copies, model.vocabSize]);
    },
    begin(source) {
      if ('features' in source) encoder.write('features', source.features);
      else {
        encoder.write('ids', source.ids);
        encoder.write('mask', source.mask);
      }
      encoder.program.run();
    },
    fill() {},
    [Symbol.dispose]: () => encoder[Symbol.dispose](),
  };
}

/** A decoder by itself. Prompts are padded on the left, and their padding is never seen. */
export function promptContext(loaded: LoadedModel, model: DecoderModel, size: ContextSize): Context {
  const { copies } = size;
  const rows = size.rows * copies;
  let prompt: Batch | undefined;
  const seen = (r: number): Int32Array => {
    const { mask, length } = prompt!;
    const at = Math.floor(r / copies) * length;
    return mask.subarray(at, at + length);
  };
  return {
    loaded,
    model,
    rows,
    bytes: 0,
    bind: {},
    logits(g, { ids, caches, capacity }) {
      const mask = g.input('mask', [rows, capacity], 'i32');
      const keyPositions = g.input('positions', [rows, capacity], 'i32');
      const start = g.scalar('start');
      const byPosition = transpose(keyPositions); // [capacity, rows]
      const positions = transpose(gatherRange(byPosition, start, ids.shape[1]!));
      const out = model.decode(g, { ids, mask, positions, keyPositions, start, caches, lastOnly: true }); // [R, 1, V]
      return reshape(out, [rows, model.vocabSize]);
    },
    begin(batch) {
      if ('features' in batch) throw new TypeError('generate: a decoder takes ids, not features');
      prompt = batch;
    },
    fill(instance, capacity) {
      const mask = new Int32Array(rows * capacity).fill(1);
      for (let r = 0; r < rows; r++) mask.set(seen(r), r * capacity);
      const positions = countedPositions({ rows, length: capacity, mask });
      instance.write('mask', mask);
      // Not every model asks where its tokens stand.
      if (instance.buffers['positions']) instance.write('positions', positions);
    },
    [Symbol.dispose]() {},
  };
}
