// What a decoder reads besides its own tokens: an encoded source, computed once, or a padded prompt.
import type { DecoderModel, EncoderDecoderModel, LoadedModel } from '@transept/models';
import { reshape, trace } from '@transept/tensor';
import type { Batch } from './batch.ts';
import { positionsFrom } from './decoding.ts';
import type { Context } from './decoding.ts';
import { instantiate } from './instance.ts';

/** The size of the batches that a context takes. */
export interface ContextSize {
  /** Sources or prompts. */
  readonly rows: number;
  /** Positions of each, padding included. */
  readonly length: number;
  /** Rows decoded for each, for beams. */
  readonly copies: number;
  readonly signal?: AbortSignal | undefined;
}

/** Sources go through the encoder; what the decoder's cross-attention reads of them is computed once. */
export async function sourceContext(
  loaded: LoadedModel,
  model: EncoderDecoderModel,
  { rows, length, copies, signal }: ContextSize,
): Promise<Context> {
  const { sourceFeatures } = model;
  const shapes: (readonly number[])[] = [];
  const traced = trace(`${model.modelType} encoder`, (g) => {
    const inputs = sourceFeatures
      ? { features: g.input('features', [rows, ...sourceFeatures]) }
      : { ids: g.input('ids', [rows, length], 'i32'), mask: g.input('mask', [rows, length], 'i32') };
    const keyValues = model.crossKeyValues(g, model.encode(g, inputs));
    shapes.push(...keyValues.map((kv) => kv.shape));
    return Object.fromEntries(keyValues.map((kv, i) => [`cross.${i}`, kv]));
  });
  const encoder = await instantiate(loaded, traced, { signal });
  const read = ([name]: readonly [string, unknown]): boolean => name === 'mask' || name.startsWith('cross.');
  return {
    loaded,
    model,
    rows: rows * copies,
    bind: Object.fromEntries(Object.entries(encoder.buffers).filter(read)),
    logits(g, { ids, caches }) {
      const keyValues = shapes.map((shape, i) => g.input(`cross.${i}`, shape));
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
  const { backend } = loaded;
  const { copies } = size;
  const rows = size.rows * copies;
  const pads = backend.alloc(4 * rows);
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
    bind: { pads },
    logits(g, { ids, caches, capacity }) {
      const mask = g.input('mask', [rows, capacity], 'i32');
      const positions = positionsFrom(g, g.input('pads', [rows], 'i32'), ids);
      const start = g.scalar('start');
      const out = model.decode(g, { ids, mask, positions, start, caches, lastOnly: true }); // [R, 1, V]
      return reshape(out, [rows, model.vocabSize]);
    },
    begin(batch) {
      if ('features' in batch) throw new TypeError('generate: a decoder takes ids, not features');
      prompt = batch;
      backend.write(
        pads,
        Int32Array.from({ length: rows }, (_, r) => seen(r).reduce((n, s) => n + 1 - s, 0)),
      );
    },
    fill(instance, capacity) {
      const mask = new Int32Array(rows * capacity).fill(1);
      for (let r = 0; r < rows; r++) mask.set(seen(r), r * capacity);
      instance.write('mask', mask);
    },
    [Symbol.dispose]: () => pads[Symbol.dispose](),
  };
}
