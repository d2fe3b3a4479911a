// Phi-3 and Phi-4-mini: merged projections, rotary positions of a part of each head, two sets of factors for long texts.
import type { JsonObject } from '../../json.ts';
import type { Architecture, Source } from './architecture.ts';
import { decoderConfig, decoderNames, decoderSizes, key } from './architecture.ts';

export const phi3: Architecture = {
  names: () => ({
    ...decoderNames,
    'blk.{}.attn_qkv': 'model.layers.{}.self_attn.qkv_proj',
    'blk.{}.ffn_up': 'model.layers.{}.mlp.gate_up_proj',
  }),

  config(source) {
    const { metadata } = source;
    const { headSize } = decoderSizes(source);
    const context = metadata.count(key(source, 'context_length'));
    const window = metadata.count(key(source, 'attention.sliding_window'), 0);
    return {
      // Where nothing is said transformers takes 32000, and refuses it where the vocabulary is smaller.
      pad_token_id: null,
      ...decoderConfig(source),
      architectures: ['Phi3ForCausalLM'],
      model_type: 'phi3',
      hidden_act: 'silu',
      partial_rotary_factor: metadata.count(key(source, 'rope.dimension_count'), headSize) / headSize,
      original_max_position_embeddings: metadata.count(key(source, 'rope.scaling.original_context_length'), context),
      rope_scaling: longrope(source),
      sliding_window: window === 0 ? null : window,
    };
  },
};

function longrope(source: Source): JsonObject | null {
  const { metadata, constants } = source;
  const long = constants.get('rope_factors_long.weight');
  const short = constants.get('rope_factors_short.weight');
  if (!long && !short) return null;
  if (!long || !short)
    return metadata.fail('general.architecture', 'there is one of the tensors rope_factors_long and _short', 'both');
  const at = key(source, 'rope.scaling.attn_factor');
  return {
    type: 'longrope',
    long_factor: [...long],
    short_factor: [...short],
    ...(metadata.has(at) && { attention_factor: metadata.number(at) }),
  };
}
