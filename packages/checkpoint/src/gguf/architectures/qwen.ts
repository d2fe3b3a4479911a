// Qwen 2, Qwen 3 and Qwen 3 with experts.
import type { Architecture, Source } from './architecture.ts';
import { decoderConfig, decoderNames, decoderSizes, key, ropeScaling, wholeRotary } from './architecture.ts';

function qwen(modelType: string, architecture: string, more: (source: Source) => object = () => ({})): Architecture {
  return {
    names: () => ({
      ...decoderNames,
      'blk.{}.ffn_gate_inp': 'model.layers.{}.mlp.gate',
      'blk.{}.ffn_gate_exps': 'model.layers.{}.mlp.experts.{e}.gate_proj',
      'blk.{}.ffn_up_exps': 'model.layers.{}.mlp.experts.{e}.up_proj',
      'blk.{}.ffn_down_exps': 'model.layers.{}.mlp.experts.{e}.down_proj',
    }),
    config(source) {
      wholeRotary(source);
      return {
        ...decoderConfig(source),
        architectures: [architecture],
        model_type: modelType,
        hidden_act: 'silu',
        rope_scaling: ropeScaling(source),
        use_sliding_window: false,
        ...more(source),
      };
    },
  };
}

export const qwen2 = qwen('qwen2', 'Qwen2ForCausalLM');
export const qwen3 = qwen('qwen3', 'Qwen3ForCausalLM', ({ tensors }) => ({
  attention_bias: tensors.has('blk.0.attn_q.bias'),
}));
export const qwen3moe = qwen('qwen3_moe', 'Qwen3MoeForCausalLM', (source) => ({
  attention_bias: source.tensors.has('blk.0.attn_q.bias'),
  num_experts: source.metadata.count(key(source, 'expert_count')),
  num_experts_per_tok: source.metadata.count(key(source, 'expert_used_count')),
  moe_intermediate_size: source.metadata.count(key(source, 'expert_feed_forward_length')),
  norm_topk_prob: true,
  decoder_sparse_step: 1,
  mlp_only_layers: Array.from({ length: decoderSizes(source).layers }, (_, i) => i).filter(
    (i) => !source.tensors.has(`blk.${i}.ffn_gate_exps.weight`),
  ),
}));
