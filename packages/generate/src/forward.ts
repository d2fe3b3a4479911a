// One pass over whole inputs, without a cache: logits or what else a model gives, and on request the hidden states and attention
// weights on the way, under the names that transformers gives them.
import type { LoadedModel, Taps } from '@transept/models';
import { trace } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { instantiate } from './instance.ts';
import type { Instance } from './instance.ts';
import { passOf } from './passes.ts';
import type { ForwardInputs, Pass } from './passes.ts';
import { borrow } from './pool.ts';
import type { Reusable } from './pool.ts';

export interface ForwardOptions {
  /** Also give the outputs of the embeddings and of each layer. */
  readonly hiddenStates?: boolean;
  /** Also give the attention weights of each layer. */
  readonly attentions?: boolean;
  /** Also give what each layer of the decoder would keep for later tokens, as `caches.I`, and of the source as `cross_caches.I`. */
  readonly caches?: boolean;
  /** Also give what the routers of mixtures of experts say of all tokens, as `router_logits.I`. */
  readonly routers?: boolean;
  readonly signal?: AbortSignal;
}

export interface OutputTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/**
 * Outputs by name: `logits` [B, T, V], for an encoder-decoder `encoder_last_hidden_state` [B, S, C], for an encoder what its head
 * gives; then `hidden_states.I` and `attentions.I`, or `encoder_hidden_states.I`, `decoder_hidden_states.I`,
 * `encoder_attentions.I`, `decoder_attentions.I`, `cross_attentions.I`.
 */
export type ForwardOutputs = Readonly<Record<string, OutputTensor>>;

/** Throws an InputError for inputs that the model does not take, or whose sizes do not fit. */
export async function forward(
  loaded: LoadedModel,
  inputs: ForwardInputs,
  options: ForwardOptions = {},
): Promise<ForwardOutputs> {
  const { signal } = options;
  const { values, key, build } = passOf(loaded.model, inputs);
  const wanted = [
    key,
    Boolean(options.hiddenStates),
    Boolean(options.attentions),
    Boolean(options.caches),
    Boolean(options.routers),
  ];
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

interface PassInstance extends Reusable {
  readonly instance: Instance;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

async function passInstance(loaded: LoadedModel, build: Pass['build'], options: ForwardOptions): Promise<PassInstance> {
  const { model } = loaded;
  const shapes = new Map<string, readonly number[]>();
  const traced = trace(`${model.modelType} forward`, (g) => {
    const tapped = new Tapped(model.kind !== 'encoder-decoder' && !('twoStacks' in model && model.twoStacks), options);
    const caches = (rows: number, positions: number): Tensor[] =>
      model.kind === 'decoder' || model.kind === 'encoder-decoder'
        ? Array.from({ length: model.decoderLayers }, (_, i) => {
            const shape = model.cacheShape(rows, positions);
            shapes.set(`caches.${i}`, shape);
            return g.state(`caches.${i}`, shape);
          })
        : [];
    const outputs = { ...build(g, tapped.taps, options.caches ? caches : undefined), ...tapped.outputs };
    for (const [name, tensor] of Object.entries(outputs)) shapes.set(name, tensor.shape);
    return outputs;
  });
  const instance = await instantiate(loaded, traced, { signal: options.signal });
  return { instance, shapes, bytes: instance.bytes, [Symbol.dispose]: () => instance[Symbol.dispose]() };
}

/** Collects what a model shows on the way. */
class Tapped {
  readonly outputs: Record<string, Tensor> = {};
  readonly taps: Taps;

  constructor(alone: boolean, { hiddenStates, attentions, routers }: ForwardOptions) {
    const counts = new Map<string, number>();
    const keep = (kind: string, tensor: Tensor): void => {
      const i = counts.get(kind) ?? 0;
      counts.set(kind, i + 1);
      this.outputs[`${kind}.${i}`] = tensor;
    };
    this.taps = {
      ...(hiddenStates && { hiddenState: (stack, x) => keep(alone ? 'hidden_states' : `${stack}_hidden_states`, x) }),
      ...(routers && { router: (logits) => keep('router_logits', logits) }),
      ...(attentions && { attention: (kind, w) => keep(alone ? 'attentions' : `${kind}_attentions`, w) }),
    };
  }
}
