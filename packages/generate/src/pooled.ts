// Texts as single vectors: the hidden states of an encoder, or of a decoder-only model, pooled over their tokens on the device, and perhaps brought to length
// one. What the pooling modes mean is what they mean in sentence-transformers.
import { decoderStates } from '@transept/models';
import type { EncoderModel, LoadedModel, TextInputs } from '@transept/models';
import {
  cast,
  concat,
  div,
  expandDims,
  expr,
  gather,
  max,
  maximum,
  mul,
  pointwise,
  reshape,
  select,
  sqrt,
  sum,
  trace,
  where,
} from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { batch, InputError, longestOf, paddedLength } from './batch.ts';
import { instantiate } from './instance.ts';
import type { Instance } from './instance.ts';
import type { Rows } from './passes.ts';
import { borrow } from './pool.ts';

/** `weightedMean` weighs the first token once, the second twice and so on; `meanSqrtLength` divides by the root of the length. */
export type Pooling = 'cls' | 'mean' | 'max' | 'meanSqrtLength' | 'weightedMean' | 'lastToken';

export interface PooledOptions {
  /** Several are joined into one vector, in this order. Default: mean. */
  readonly pooling?: readonly Pooling[];
  /** Bring vectors to length one. Default: true. */
  readonly normalize?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** One vector for each row of ids, which may differ in length. */
export async function pooled(
  loaded: LoadedModel,
  inputIds: Rows,
  { pooling = ['mean'], normalize = true, signal }: PooledOptions = {},
): Promise<Float32Array[]> {
  const model = encoderOf(loaded);
  const { vocabSize, maxPositions } = model;
  const length = paddedLength(longestOf(inputIds), { rows: inputIds.length, most: maxPositions });
  const { rows, ids, mask } = batch(inputIds, {
    name: 'input_ids',
    vocabSize,
    maxLength: maxPositions,
    length,
    side: 'right',
  });
  const key = JSON.stringify([rows, length, pooling, normalize]);
  using borrowed = await borrow(loaded, 'pooled', key, async (): Promise<Instance> => {
    const traced = trace(`${model.modelType} pooled`, (g) => {
      const inputs = { ids: g.input('ids', [rows, length], 'i32'), mask: g.input('mask', [rows, length], 'i32') };
      return { vectors: vectors(model, inputs, pooling, normalize) };
    });
    return instantiate(loaded, traced, { readback: ['vectors'], signal });
  });
  const instance = borrowed.it;
  instance.write('ids', ids);
  instance.write('mask', mask);
  instance.program.run();
  const all = await instance.floats('vectors');
  borrowed.done = true;
  const width = all.length / rows;
  return inputIds.map((_, r) => all.slice(r * width, (r + 1) * width));
}

function encoderOf({ model }: LoadedModel): EncoderModel {
  if (model.kind === 'encoder') return model;
  if (model.kind === 'decoder') return decoderStates(model);
  throw new InputError(
    `embed: "${model.modelType}" gives no states of a text alone; embed takes an encoder such as bert, or a decoder such as qwen3`,
  );
}

function vectors(model: EncoderModel, inputs: TextInputs, pooling: readonly Pooling[], normalize: boolean): Tensor {
  const { graph } = inputs.ids;
  const hidden = model.encode(graph, inputs); // [B, T, C]
  return graph.scope('pool', () => {
    const [first, ...rest] = pooling.map((kind) => pool(kind, hidden, inputs.mask));
    const joined = rest.length > 0 ? concat([first!, ...rest], -1) : first!;
    if (!normalize) return joined;
    return div(joined, maximum(sqrt(sum(mul(joined, joined))), 1e-12));
  });
}

/** hidden [B, T, C], mask i32 [B, T] → [B, C]. */
function pool(kind: Pooling, hidden: Tensor, mask: Tensor): Tensor {
  const [rows, length, width] = hidden.shape as readonly [number, number, number];
  const over = { axes: [1], keepDims: false };
  const average = (weights: Tensor, divisor: (total: Tensor) => Tensor): Tensor => {
    const each = expandDims(weights, 2); // [B, T, 1]
    return div(sum(mul(hidden, each), over), divisor(maximum(sum(each, over), 1e-9)));
  };
  const real = cast(mask, 'f32');
  const itself = (total: Tensor): Tensor => total;
  switch (kind) {
    case 'cls':
      return select(hidden, 1, 0);
    case 'mean':
      return average(real, itself);
    case 'meanSqrtLength':
      return average(real, sqrt);
    case 'weightedMean': {
      const { apply, cast: as, constant, index, input } = expr;
      const place = as('f32', apply('add', index(1), constant(1, 'i32')));
      return average(pointwise(apply('mul', input(0), place), [real]), itself);
    }
    case 'max':
      return max(where(expandDims(mask, 2), hidden, -1e9), over);
    case 'lastToken': {
      const { apply, constant, index, input } = expr;
      const before = apply('sub', input(0), constant(1, 'i32'));
      const at = apply('add', apply('mul', index(0), constant(length, 'i32')), before);
      return gather(
        reshape(hidden, [rows * length, width]),
        pointwise(at, [sum(mask, { axes: [1], keepDims: false })]),
      );
    }
    default:
      return kind satisfies never;
  }
}
