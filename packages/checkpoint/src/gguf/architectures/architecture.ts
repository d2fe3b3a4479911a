// What a GGUF file calls a model, and what transformers calls it: the configuration by keys, the tensors by names. One table for
// each `general.architecture`.
import type { Arrangement } from '../../arrange.ts';
import type { JsonObject } from '../../json.ts';
import type { TensorInfo } from '../../stored.ts';
import type { Metadata } from '../metadata.ts';

/** The file that a configuration is made from. */
export interface Source {
  /** Values under `<architecture>.` */
  readonly metadata: Metadata;
  readonly architecture: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Values of the small tensors that belong into the configuration. */
  readonly constants: ReadonlyMap<string, Float32Array>;
}

export interface Architecture {
  /**
   * Names in the file, without `.weight` or `.bias`, to names in a Hugging Face checkpoint. `{}` is the number of a layer;
   * `{e}`, in the second, stands for each expert of a tensor that holds all of them.
   */
  names(source: Source): Readonly<Record<string, string>>;
  /** How a tensor differs from what its name means. */
  arranged?(name: string, source: Source): Arrangement | undefined;
  /** config.json. Throws a CheckpointError that names the key where a file cannot be honoured. */
  config(source: Source): JsonObject;
  /** Further files by name, as their contents. */
  documents?(source: Source): Readonly<Record<string, unknown>>;
}

/** A key of the architecture, in full. */
export const key = ({ architecture }: Source, name: string): string => `${architecture}.${name}`;

/** Sizes that every decoder names in the same way. */
export interface DecoderSizes {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
}

export function decoderSizes(source: Source): DecoderSizes {
  const { metadata } = source;
  const width = metadata.count(key(source, 'embedding_length'));
  const heads = metadata.shared(key(source, 'attention.head_count'));
  if (heads < 1) metadata.fail(key(source, 'attention.head_count'), `it is ${heads}`, 'a whole number from 1 on');
  const headSize = metadata.count(key(source, 'attention.key_length'), Math.floor(width / heads));
  const values = metadata.count(key(source, 'attention.value_length'), headSize);
  if (values !== headSize)
    metadata.fail(key(source, 'attention.value_length'), `it is ${values}, keys have ${headSize}`, 'the same');
  return {
    width,
    layers: metadata.count(key(source, 'block_count')),
    heads,
    keyValueHeads: metadata.shared(key(source, 'attention.head_count_kv'), heads),
    headSize,
  };
}

/** The part of a configuration that decoders with RMSNorm and rotary positions share. */
export function decoderConfig(source: Source): JsonObject {
  const { metadata, tensors } = source;
  const sizes = decoderSizes(source);
  return {
    hidden_size: sizes.width,
    intermediate_size: metadata.shared(key(source, 'feed_forward_length')),
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    num_key_value_heads: sizes.keyValueHeads,
    ...(sizes.headSize !== Math.floor(sizes.width / sizes.heads) && { head_dim: sizes.headSize }),
    vocab_size: rowsOf(source, 'token_embd.weight'),
    max_position_embeddings: metadata.count(key(source, 'context_length')),
    rms_norm_eps: metadata.number(key(source, 'attention.layer_norm_rms_epsilon')),
    rope_theta: metadata.number(key(source, 'rope.freq_base'), 10000),
    tie_word_embeddings: !tensors.has('output.weight'),
    ...specialIds(metadata),
  };
}

/** Ids that the embedded tokenizer has a meaning for. */
export function specialIds(metadata: Metadata): JsonObject {
  const ids: Record<string, number> = {};
  for (const [name, tokens] of [
    ['bos_token_id', 'bos'],
    ['eos_token_id', 'eos'],
    ['pad_token_id', 'padding'],
  ] as const)
    if (metadata.has(`tokenizer.ggml.${tokens}_token_id`))
      ids[name] = metadata.count(`tokenizer.ggml.${tokens}_token_id`);
  return ids;
}

/** How many rows a tensor has. */
export function rowsOf({ tensors, metadata }: Source, name: string): number {
  const rows = tensors.get(name)?.shape[0];
  return rows ?? metadata.fail('general.architecture', `there is no tensor "${name}"`, 'one, as in every such model');
}

/** Rotary positions of all of a head's dimensions: other shares are another model. */
export function wholeRotary(source: Source): void {
  const { headSize } = decoderSizes(source);
  const rotated = source.metadata.count(key(source, 'rope.dimension_count'), headSize);
  if (rotated !== headSize)
    source.metadata.fail(key(source, 'rope.dimension_count'), `it is ${rotated}, heads have ${headSize}`, 'the same');
}

/** `rope_scaling` of config.json: null, linear or yarn, or factors that divide each frequency. */
export function ropeScaling(source: Source): JsonObject | null {
  const { metadata, constants } = source;
  const at = (name: string): string => key(source, `rope.scaling.${name}`);
  const original = metadata.count(at('original_context_length'), metadata.count(key(source, 'context_length')));
  const factors = constants.get('rope_freqs.weight');
  if (factors)
    // Llama 3's scaling is stored as its result. The same factors at every length are longrope's arithmetic.
    return {
      rope_type: 'longrope',
      short_factor: [...factors],
      long_factor: [...factors],
      attention_factor: 1,
      original_max_position_embeddings: original,
    };
  const kind = metadata.text(at('type'), 'none');
  if (kind === 'none') {
    // Older files give a linear factor alone.
    const factor = metadata.number(key(source, 'rope.scale_linear'), 1);
    return factor === 1 ? null : { rope_type: 'linear', factor };
  }
  if (kind !== 'linear' && kind !== 'yarn')
    return metadata.fail(at('type'), `"${kind}" is not supported here`, 'none, linear or yarn');
  const factor = metadata.number(at('factor'));
  if (kind === 'linear') return { rope_type: 'linear', factor };
  const attention = metadata.number(at('attn_factor'), 1);
  if (attention !== 1) metadata.fail(at('attn_factor'), `${attention} is not supported`, '1');
  return {
    rope_type: 'yarn',
    factor,
    original_max_position_embeddings: original,
    beta_fast: metadata.number(at('yarn_beta_fast'), 32),
    beta_slow: metadata.number(at('yarn_beta_slow'), 1),
  };
}

/** Names of a decoder as Llama has them; others change some. */
export const decoderNames: Readonly<Record<string, string>> = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
  'blk.{}.attn_norm': 'model.layers.{}.input_layernorm',
  'blk.{}.attn_q': 'model.layers.{}.self_attn.q_proj',
  'blk.{}.attn_k': 'model.layers.{}.self_attn.k_proj',
  'blk.{}.attn_v': 'model.layers.{}.self_attn.v_proj',
  'blk.{}.attn_output': 'model.layers.{}.self_attn.o_proj',
  'blk.{}.attn_q_norm': 'model.layers.{}.self_attn.q_norm',
  'blk.{}.attn_k_norm': 'model.layers.{}.self_attn.k_norm',
  'blk.{}.ffn_norm': 'model.layers.{}.post_attention_layernorm',
  'blk.{}.ffn_gate': 'model.layers.{}.mlp.gate_proj',
  'blk.{}.ffn_up': 'model.layers.{}.mlp.up_proj',
  'blk.{}.ffn_down': 'model.layers.{}.mlp.down_proj',
};
