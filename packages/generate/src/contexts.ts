// What a decoder reads besides its own tokens: an encoded source, computed once, or a padded prompt.
import type { LoadedModel } from '@transept/models';
import { reshape, trace } from '@transept/tensor';
import { batch, bucket, InputError } from './batch.ts';
import type { Batch } from './batch.ts';
import { positionsFrom } from './decoding.ts';
import type { Context } from './decoding.ts';
import { instantiate } from './instance.ts';

export interface SourceOptions {
  readonly mask?: readonly ArrayLike<number>[] | undefined;
  /** Rows decoded for each source, for beams. */
  readonly rowsPerSource: number;
  readonly signal?: AbortSignal | undefined;
}

/** Encode sources of unequal length, and compute what the decoder's cross-attention reads of them. */
export async function encodeSources(
  loaded: LoadedModel,
  sources: readonly ArrayLike<number>[],
  options: SourceOptions,
): Promise<Context> {
  const { model } = loaded;
  if (model.kind !== 'encoder-decoder') throw new InputError(`generate: "${model.modelType}" has no encoder`);
  const { maxSourcePositions: most, sourceVocabSize: vocabSize } = model;
  const longest = Math.max(0, ...sources.map((s) => s.length));
  const length = bucket(longest, most);
  const { ids, mask, rows } = batch(sources, {
    name: 'input_ids',
    vocabSize,
    maxLength: most,
    length,
    side: 'right',
    mask: options.mask,
  });
  const shapes: (readonly number[])[] = [];
  const traced = trace(`${model.modelType} encoder`, (g) => {
    const inputs = { ids: g.input('ids', [rows, length], 'i32'), mask: g.input('mask', [rows, length], 'i32') };
    const keyValues = model.crossKeyValues(g, model.encode(g, inputs));
    shapes.push(...keyValues.map((kv) => kv.shape));
    return Object.fromEntries(keyValues.map((kv, i) => [`cross.${i}`, kv]));
  });
  const encoder = await instantiate(loaded, traced, { signal: options.signal });
  encoder.write('ids', ids);
  encoder.write('mask', mask);
  encoder.program.run();
  const bind = Object.fromEntries(
    Object.entries(encoder.buffers).filter(([name]) => name === 'mask' || name.startsWith('cross.')),
  );
  return {
    loaded,
    rows: rows * options.rowsPerSource,
    bind,
    logits(g, { ids, caches }) {
      const keyValues = shapes.map((shape, i) => g.input(`cross.${i}`, shape));
      const cross = { keyValues, mask: g.input('mask', [rows, length], 'i32') };
      const out = model.decode(g, { ids, start: g.scalar('start'), caches, lastOnly: true }, cross); // [R, 1, V]
      return reshape(out, [ids.shape[0]!, model.vocabSize]);
    },
    fill() {},
    [Symbol.dispose]: () => encoder[Symbol.dispose](),
  };
}

/** A decoder by itself. The prompt is padded on the left, and its padding is never seen. */
export function promptContext(loaded: LoadedModel, prompt: Batch, rowsPerPrompt: number): Context {
  const { model, backend } = loaded;
  if (model.kind !== 'decoder') throw new InputError(`generate: "${model.modelType}" has an encoder; give it sources`);
  const rows = prompt.rows * rowsPerPrompt;
  const row = (r: number): Int32Array => {
    const at = Math.floor(r / rowsPerPrompt) * prompt.length;
    return prompt.mask.subarray(at, at + prompt.length);
  };
  const padding = Int32Array.from({ length: rows }, (_, r) => row(r).reduce((n, seen) => n + 1 - seen, 0));
  const pads = backend.alloc(4 * rows);
  backend.write(pads, padding);
  return {
    loaded,
    rows,
    bind: { pads },
    logits(g, { ids, caches, capacity }) {
      const mask = g.input('mask', [rows, capacity], 'i32');
      const positions = positionsFrom(g, g.input('pads', [rows], 'i32'), ids);
      const out = model.decode(g, { ids, mask, positions, start: g.scalar('start'), caches, lastOnly: true }); // [R, 1, V]
      return reshape(out, [rows, model.vocabSize]);
    },
    fill(instance, capacity) {
      const mask = new Int32Array(rows * capacity).fill(1);
      for (let r = 0; r < rows; r++) mask.set(row(r), r * capacity);
      instance.write('mask', mask);
    },
    [Symbol.dispose]: () => pads[Symbol.dispose](),
  };
}
