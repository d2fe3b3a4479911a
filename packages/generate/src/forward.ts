// One pass over whole inputs, without a cache: logits, and on request the hidden states and attention weights on the way, under
// the names that transformers gives them.
import type { DecoderModel, EncoderDecoderModel, LoadedModel, Taps } from '@transept/models';
import { trace } from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';
import { batch, InputError } from './batch.ts';
import type { Batch } from './batch.ts';
import { instantiate } from './instance.ts';
import type { Instance } from './instance.ts';
import { borrow } from './pool.ts';

export type Rows = readonly ArrayLike<number>[];

/** Rectangular inputs, named as in transformers. */
export interface ForwardInputs {
  readonly inputIds: Rows;
  readonly attentionMask?: Rows | undefined;
  readonly positionIds?: Rows | undefined;
  readonly decoderInputIds?: Rows | undefined;
  readonly decoderAttentionMask?: Rows | undefined;
}

export interface ForwardOptions {
  /** Also give the outputs of the embeddings and of each layer. */
  readonly hiddenStates?: boolean;
  /** Also give the attention weights of each layer. */
  readonly attentions?: boolean;
  /** Also give what each layer of the decoder would keep for later tokens, as `caches.I`, and of the source as `cross_caches.I`. */
  readonly caches?: boolean;
  readonly signal?: AbortSignal;
}

export interface OutputTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/**
 * Outputs by name: `logits` [B, T, V], for an encoder-decoder `encoder_last_hidden_state` [B, S, C]; then `hidden_states.I` and
 * `attentions.I`, or `encoder_hidden_states.I`, `decoder_hidden_states.I`, `encoder_attentions.I`, `decoder_attentions.I`,
 * `cross_attentions.I`.
 */
export type ForwardOutputs = Readonly<Record<string, OutputTensor>>;

export async function forward(
  loaded: LoadedModel,
  inputs: ForwardInputs,
  options: ForwardOptions = {},
): Promise<ForwardOutputs> {
  const { signal } = options;
  const { values, key, build } =
    loaded.model.kind === 'decoder' ? decoderPass(loaded, inputs) : encoderDecoderPass(loaded, inputs);
  const wanted = [key, Boolean(options.hiddenStates), Boolean(options.attentions), Boolean(options.caches)];
  using borrowed = await borrow(loaded, 'forward', JSON.stringify(wanted), () => passInstance(loaded, build, options));
  const { instance, shapes } = borrowed.it;
  for (const [name, data] of Object.entries(values)) if (instance.buffers[name]) instance.write(name, data);
  instance.program.run();
  const outputs: Record<string, OutputTensor> = {};
  for (const [name, shape] of shapes) {
    signal?.throwIfAborted();
    const count = shape.reduce((a, b) => a * b, 1);
    const bytes = await loaded.backend.read(instance.buffers[name]!, 0, 4 * count);
    outputs[name] = { shape, data: new Float32Array(bytes.buffer) };
  }
  borrowed.done = true;
  return outputs;
}

interface PassInstance extends Disposable {
  readonly instance: Instance;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

async function passInstance(loaded: LoadedModel, build: Pass['build'], options: ForwardOptions): Promise<PassInstance> {
  const shapes = new Map<string, readonly number[]>();
  const traced = trace(`${loaded.model.modelType} forward`, (g) => {
    const tapped = new Tapped(loaded.model.kind === 'decoder', options);
    const caches: MakeCaches = ({ decoderLayers, cacheShape }, rows, positions) =>
      Array.from({ length: decoderLayers }, (_, i) => {
        const shape = cacheShape(rows, positions);
        shapes.set(`caches.${i}`, shape);
        return g.state(`caches.${i}`, shape);
      });
    const outputs = { ...build(g, tapped.taps, options.caches ? caches : undefined), ...tapped.outputs };
    for (const [name, tensor] of Object.entries(outputs)) shapes.set(name, tensor.shape);
    return outputs;
  });
  const instance = await instantiate(loaded, traced, { signal: options.signal });
  return { instance, shapes, [Symbol.dispose]: () => instance[Symbol.dispose]() };
}

/** States for what the layers of a decoder keep, of the shapes that the model wants. */
type MakeCaches = (model: DecoderModel | EncoderDecoderModel, rows: number, positions: number) => Tensor[];

interface Pass {
  readonly values: Readonly<Record<string, Int32Array<ArrayBuffer>>>;
  /** Everything that `build` depends on. */
  readonly key: readonly unknown[];
  build(g: Graph, taps: Taps, caches: MakeCaches | undefined): Record<string, Tensor>;
}

function encoderDecoderPass(loaded: LoadedModel, inputs: ForwardInputs): Pass {
  const { model } = loaded;
  if (model.kind !== 'encoder-decoder') throw new InputError(`forward: "${model.modelType}" has no encoder`);
  if (!inputs.decoderInputIds)
    throw new InputError('forward: decoder_input_ids are missing; an encoder-decoder needs them');
  if (inputs.positionIds)
    throw new InputError(`forward: position_ids are given; "${model.modelType}" does not take them`);
  const source = rectangle(
    'input_ids',
    inputs.inputIds,
    inputs.attentionMask,
    model.sourceVocabSize,
    model.maxSourcePositions,
  );
  const target = rectangle(
    'decoder_input_ids',
    inputs.decoderInputIds,
    inputs.decoderAttentionMask,
    model.vocabSize,
    model.maxPositions,
  );
  if (source.rows !== target.rows)
    throw new InputError(
      `forward: input_ids has ${source.rows} rows, decoder_input_ids has ${target.rows}; they must be equal`,
    );
  return {
    key: [source.rows, source.length, target.length, Boolean(inputs.decoderAttentionMask)],
    values: { ids: source.ids, mask: source.mask, decoder_ids: target.ids, decoder_mask: target.mask },
    build(g, taps, caches) {
      const mask = g.input('mask', [source.rows, source.length], 'i32');
      const encoded = model.encode(g, { ids: g.input('ids', [source.rows, source.length], 'i32'), mask }, taps);
      const decoderIds = g.input('decoder_ids', [target.rows, target.length], 'i32');
      const decoderMask = inputs.decoderAttentionMask && g.input('decoder_mask', [target.rows, target.length], 'i32');
      const keyValues = model.crossKeyValues(g, encoded);
      const logits = model.decode(
        g,
        {
          ids: decoderIds,
          ...(decoderMask && { mask: decoderMask }),
          ...(caches && { caches: caches(model, target.rows, target.length) }),
        },
        { keyValues, mask },
        taps,
      );
      const cross = caches ? Object.fromEntries(keyValues.map((kv, i) => [`cross_caches.${i}`, kv])) : {};
      return { logits, encoder_last_hidden_state: encoded, ...cross };
    },
  };
}

function decoderPass(loaded: LoadedModel, inputs: ForwardInputs): Pass {
  const { model } = loaded;
  if (model.kind !== 'decoder') throw new InputError(`forward: "${model.modelType}" has an encoder`);
  for (const [name, value] of [
    ['decoder_input_ids', inputs.decoderInputIds],
    ['decoder_attention_mask', inputs.decoderAttentionMask],
  ] as const)
    if (value) throw new InputError(`forward: ${name} is given; "${model.modelType}" does not take it`);
  const source = rectangle('input_ids', inputs.inputIds, inputs.attentionMask, model.vocabSize, model.maxPositions);
  const shape = [source.rows, source.length];
  const positions =
    inputs.positionIds &&
    rectangle('position_ids', inputs.positionIds, undefined, model.maxPositions, model.maxPositions);
  if (positions && (positions.rows !== source.rows || positions.length !== source.length))
    throw new InputError(
      `forward: position_ids is [${positions.rows}, ${positions.length}], input_ids is [${shape}]; they must be equal`,
    );
  return {
    key: [...shape, Boolean(inputs.attentionMask), Boolean(positions)],
    values: { ids: source.ids, mask: source.mask, ...(positions && { positions: positions.ids }) },
    build: (g, taps, caches) => {
      const ids = g.input('ids', shape, 'i32');
      const mask = inputs.attentionMask && g.input('mask', shape, 'i32');
      const at = positions && g.input('positions', shape, 'i32');
      const given = { ...(mask && { mask }), ...(at && { positions: at }) };
      return {
        logits: model.decode(
          g,
          { ids, ...given, ...(caches && { caches: caches(model, source.rows, source.length) }) },
          taps,
        ),
      };
    },
  };
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

/** Collects what a model shows on the way. */
class Tapped {
  readonly outputs: Record<string, Tensor> = {};
  readonly taps: Taps;

  constructor(alone: boolean, { hiddenStates, attentions }: ForwardOptions) {
    const counts = new Map<string, number>();
    const keep = (kind: string, tensor: Tensor): void => {
      const i = counts.get(kind) ?? 0;
      counts.set(kind, i + 1);
      this.outputs[`${kind}.${i}`] = tensor;
    };
    this.taps = {
      ...(hiddenStates && { hiddenState: (stack, x) => keep(alone ? 'hidden_states' : `${stack}_hidden_states`, x) }),
      ...(attentions && { attention: (kind, w) => keep(alone ? 'attentions' : `${kind}_attentions`, w) }),
    };
  }
}
