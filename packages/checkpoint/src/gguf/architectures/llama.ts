// Llama, Mistral and Mixtral, which GGUF files all call "llama".
import type { Architecture, Source } from './architecture.ts';
import { decoderConfig, decoderNames, decoderSizes, key, ropeScaling, wholeRotary } from './architecture.ts';

const experts = (source: Source): number => source.metadata.count(key(source, 'expert_count'), 0);

export const llama: Architecture = {
  names: (source) =>
    experts(source) === 0
      ? decoderNames
      : {
          ...decoderNames,
          'blk.{}.ffn_gate_inp': 'model.layers.{}.block_sparse_moe.gate',
          'blk.{}.ffn_gate_exps': 'model.layers.{}.block_sparse_moe.experts.{e}.w1',
          'blk.{}.ffn_down_exps': 'model.layers.{}.block_sparse_moe.experts.{e}.w2',
          'blk.{}.ffn_up_exps': 'model.layers.{}.block_sparse_moe.experts.{e}.w3',
        },

  arranged(name, source) {
    const which = /^blk\.\d+\.attn_([qk])\./.exec(name)?.[1];
    if (!which) return undefined;
    const { heads, keyValueHeads } = decoderSizes(source);
    return { kind: 'paired-rows', heads: which === 'q' ? heads : keyValueHeads };
  },

  config(source) {
    wholeRotary(source);
    const { metadata, tensors } = source;
    const common = { ...decoderConfig(source), hidden_act: 'silu', rope_scaling: ropeScaling(source) };
    if (experts(source) > 0)
      return {
        ...common,
        architectures: ['MixtralForCausalLM'],
        model_type: 'mixtral',
        num_local_experts: experts(source),
        num_experts_per_tok: metadata.count(key(source, 'expert_used_count')),
      };
    return {
      ...common,
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      attention_bias: tensors.has('blk.0.attn_q.bias'),
      mlp_bias: tensors.has('blk.0.ffn_up.bias'),
    };
  },
};
