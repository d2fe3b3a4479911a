// What each kind of model takes for one pass, checked, and the graph of the pass.
import type { DecoderModel, EncoderDecoderModel, EncoderModel, Model, Taps, VisionModel } from '@transept/models';
import type { Graph, Tensor } from '@transept/tensor';
import { batch, bucket, countedPositions, featureBatch, InputError } from './batch.ts';
import type { Batch, NumberArray } from './batch.ts';

export type Rows = readonly ArrayLike<number>[];

/** Rectangular inputs, named as in transformers. What a model takes of them is its `inputNames`. */
export interface ForwardInputs {
  readonly inputIds?: Rows | undefined;
  readonly attentionMask?: Rows | undefined;
  readonly tokenTypeIds?: Rows | undefined;
  readonly positionIds?: Rows | undefined;
  readonly decoderInputIds?: Rows | undefined;
  readonly decoderAttentionMask?: Rows | undefined;
  /** Of sounds: [B, mel, frames]. */
  readonly inputFeatures?: NumberArray | undefined;
  /** Of images: [B, channels, height, width]. */
  readonly pixelValues?: NumberArray | undefined;
}

/** The inputs that a model takes, by the names of transformers; the first of them it needs. */
export function inputNames(model: Model): readonly string[] {
  switch (model.kind) {
    case 'decoder':
      return ['input_ids', 'attention_mask', 'position_ids'];
    case 'encoder-decoder':
      return model.sourceFeatures
        ? ['input_features', 'decoder_input_ids', 'decoder_attention_mask']
        : ['input_ids', 'attention_mask', 'decoder_input_ids', 'decoder_attention_mask'];
    case 'encoder':
      return [
        'input_ids',
        'attention_mask',
        ...(model.tokenTypes > 0 ? ['token_type_ids'] : []),
        ...(model.positionIds > 0 ? ['position_ids'] : []),
      ];
    case 'vision':
      return ['pixel_values'];
    default:
      return model satisfies never;
  }
}

/** States for what the layers of a decoder keep, of the shapes that the model wants. */
export type MakeCaches = (rows: number, positions: number) => Tensor[];

export interface Pass {
  readonly values: Readonly<Record<string, ArrayBufferView>>;
  /** Everything that `build` depends on. */
  readonly key: readonly unknown[];
  build(g: Graph, taps: Taps, caches: MakeCaches | undefined): Record<string, Tensor>;
}

export function passOf(model: Model, inputs: ForwardInputs): Pass {
  const names = inputNames(model);
  for (const [key, value] of Object.entries(inputs)) {
    const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (value !== undefined && !names.includes(name))
      throw new InputError(`forward: ${name} is given; "${model.modelType}" does not take it, but ${names.join(', ')}`);
  }
  switch (model.kind) {
    case 'decoder':
      return decoderPass(model, inputs);
    case 'encoder-decoder':
      return encoderDecoderPass(model, inputs);
    case 'encoder':
      return encoderPass(model, inputs);
    case 'vision':
      return visionPass(model, inputs);
    default:
      return model satisfies never;
  }
}

function encoderDecoderPass(model: EncoderDecoderModel, inputs: ForwardInputs): Pass {
  const source = model.sourceFeatures
    ? featureSource(needed('input_features', inputs.inputFeatures, model), model.sourceFeatures)
    : textSource(model, inputs);
  const target = rectangle(
    'decoder_input_ids',
    needed('decoder_input_ids', inputs.decoderInputIds, model),
    inputs.decoderAttentionMask,
    model.vocabSize,
    model.maxPositions,
  );
  if (source.rows !== target.rows)
    throw new InputError(
      `forward: ${source.name} has ${source.rows} rows, decoder_input_ids has ${target.rows}; they must be equal`,
    );
  return {
    key: [source.key, target.length, Boolean(inputs.decoderAttentionMask)],
    values: { ...source.values, decoder_ids: target.ids, decoder_mask: target.mask },
    build(g, taps, caches) {
      const { encoded, mask } = source.encode(g, taps);
      const ids = g.input('decoder_ids', [target.rows, target.length], 'i32');
      const decoderMask = inputs.decoderAttentionMask && g.input('decoder_mask', [target.rows, target.length], 'i32');
      const keyValues = model.crossKeyValues(g, encoded);
      const logits = model.decode(
        g,
        {
          ids,
          ...(decoderMask && { mask: decoderMask }),
          ...(caches && { caches: caches(target.rows, target.length) }),
        },
        { keyValues, ...(mask && { mask }) },
        taps,
      );
      const cross = caches ? Object.fromEntries(keyValues.map((kv, i) => [`cross_caches.${i}`, kv])) : {};
      return { logits, encoder_last_hidden_state: encoded, ...cross };
    },
  };

  function textSource(model: EncoderDecoderModel, inputs: ForwardInputs) {
    const ids = needed('input_ids', inputs.inputIds, model);
    const at = rectangle('input_ids', ids, inputs.attentionMask, model.sourceVocabSize, model.maxSourcePositions);
    const shape = [at.rows, at.length];
    return {
      name: 'input_ids',
      rows: at.rows,
      key: shape,
      values: { ids: at.ids, mask: at.mask },
      encode(g: Graph, taps: Taps) {
        const mask = g.input('mask', shape, 'i32');
        return { encoded: model.encode(g, { ids: g.input('ids', shape, 'i32'), mask }, taps), mask };
      },
    };
  }

  function featureSource(given: NumberArray, rowShape: readonly number[]) {
    const { rows, features } = featureBatch('input_features', given, rowShape);
    return {
      name: 'input_features',
      rows,
      key: [rows],
      values: { features },
      encode: (g: Graph, taps: Taps) => ({
        encoded: model.encode(g, { features: g.input('features', [rows, ...rowShape]) }, taps),
        mask: undefined,
      }),
    };
  }
}

/** Positions are below this where a model sets no limit: there are tables of them. */
const farthest = 2 ** 22;

function decoderPass(model: DecoderModel, inputs: ForwardInputs): Pass {
  const ids = needed('input_ids', inputs.inputIds, model);
  const source = rectangle('input_ids', ids, inputs.attentionMask, model.vocabSize, model.maxPositions);
  const shape = [source.rows, source.length];
  const positions = sameShape(source, 'position_ids', inputs.positionIds, Math.min(model.maxPositions, farthest));
  const positionLimit = positions && bucket(positions.reduce((most, p) => Math.max(most, p), 0) + 1);
  return {
    key: [shape, Boolean(inputs.attentionMask), positionLimit],
    values: {
      ids: source.ids,
      mask: source.mask,
      key_positions: countedPositions(source),
      ...(positions && { positions }),
    },
    build: (g, taps, caches) => {
      const padded = inputs.attentionMask && {
        mask: g.input('mask', shape, 'i32'),
        keyPositions: g.input('key_positions', shape, 'i32'),
      };
      const given = {
        ids: g.input('ids', shape, 'i32'),
        ...padded,
        ...(positionLimit !== undefined && { positions: g.input('positions', shape, 'i32'), positionLimit }),
        ...(caches && { caches: caches(source.rows, source.length) }),
      };
      return { logits: model.decode(g, given, taps) };
    },
  };
}

function encoderPass(model: EncoderModel, inputs: ForwardInputs): Pass {
  const ids = needed('input_ids', inputs.inputIds, model);
  const source = rectangle('input_ids', ids, inputs.attentionMask, model.vocabSize, model.maxPositions);
  const shape = [source.rows, source.length];
  const types = sameShape(source, 'token_type_ids', inputs.tokenTypeIds, model.tokenTypes);
  const positions = sameShape(source, 'position_ids', inputs.positionIds, model.positionIds);
  return {
    key: [...shape, Boolean(types), Boolean(positions)],
    values: { ids: source.ids, mask: source.mask, ...(types && { types }), ...(positions && { positions }) },
    build: (g, taps) => {
      const given = {
        ids: g.input('ids', shape, 'i32'),
        mask: g.input('mask', shape, 'i32'),
        ...(types && { tokenTypes: g.input('types', shape, 'i32') }),
        ...(positions && { positions: g.input('positions', shape, 'i32') }),
      };
      if (!model.twoStacks) return model.outputs(g, model.encode(g, given, taps), given);
      let encoded: Tensor | undefined;
      const hidden = model.encode(g, given, {
        ...taps,
        hiddenState(stack, x) {
          if (stack === 'encoder') encoded = x;
          taps.hiddenState?.(stack, x);
        },
      });
      return { ...model.outputs(g, hidden, given), encoder_last_hidden_state: encoded! };
    },
  };
}

function visionPass(model: VisionModel, inputs: ForwardInputs): Pass {
  const pixels = needed('pixel_values', inputs.pixelValues, model);
  const { rows, features } = featureBatch('pixel_values', pixels, model.imageShape);
  return {
    key: [rows],
    values: { pixels: features },
    build: (g, taps) => model.outputs(g, model.encode(g, g.input('pixels', [rows, ...model.imageShape]), taps)),
  };
}

function needed<T>(name: string, value: T | undefined, { modelType }: Model): T {
  if (value !== undefined) return value;
  throw new InputError(`forward: ${name} are missing; "${modelType}" needs them`);
}

/** Whole numbers below `limit`, one for each id. */
function sameShape(
  ids: Batch,
  name: string,
  rows: Rows | undefined,
  limit: number,
): Int32Array<ArrayBuffer> | undefined {
  if (!rows) return undefined;
  const given = rectangle(name, rows, undefined, limit, ids.length);
  if (given.rows !== ids.rows || given.length !== ids.length)
    throw new InputError(
      `forward: ${name} is [${given.rows}, ${given.length}], input_ids is [${ids.rows}, ${ids.length}]; they must be equal`,
    );
  return given.ids;
}

function rectangle(name: string, rows: Rows, mask: Rows | undefined, vocabSize: number, maxLength: number): Batch {
  const ragged = rows.findIndex((r) => r.length !== rows[0]!.length);
  if (ragged > 0)
    throw new InputError(
      `forward: ${name} has a row of ${rows[0]!.length} and one of ${rows[ragged]!.length}; pad them to one length`,
    );
  if (mask && mask.length !== rows.length)
    throw new InputError(`forward: ${name} has ${rows.length} rows, its mask has ${mask.length}; they must be equal`);
  return batch(rows, { name, vocabSize, maxLength, side: 'right', mask });
}
