// What decoder-only families cannot honour is refused, by the name of the key; what means nothing is passed over.
import { describe, expect, it } from 'vitest';
import { createModel, modelTypes } from '../registry.ts';

const base = {
  hidden_size: 24,
  intermediate_size: 36,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 61,
};
const opt = { ...base, ffn_dim: 36 };
const neo = { ...base, num_layers: 2, num_heads: 4 };

const refused: readonly (readonly [type: string, config: object, message: RegExp])[] = [
  ['llama', { quantization_config: { quant_method: 'gptq' } }, /"quantization_config"/],
  [
    'llama',
    { architectures: ['LlamaForMultipleChoice'] },
    /"architectures": LlamaForMultipleChoice is not supported; expected …ForCausalLM, …ForSequenceClassification/,
  ],
  ['llama', { num_key_value_heads: 3 }, /"num_key_value_heads": 3 does not divide num_attention_heads 4/],
  ['llama', { hidden_act: 'snake' }, /"hidden_act": "snake" is no known activation/],
  ['llama', { rope_scaling: { type: 'ntk' } }, /"rope_type": "ntk" is not supported/],
  ['llama', { hidden_size: 25 }, /"num_attention_heads": 4 does not divide the width 25/],
  ['gpt2', { ...base, add_cross_attention: true }, /"add_cross_attention": true is not supported/],
  ['gemma', { use_bidirectional_attention: true }, /"use_bidirectional_attention": true is not supported/],
  ['gemma2', { layer_types: ['full_attention'] }, /"layer_types": .* for each of 2 layers/],
  ['gemma2', { layer_types: ['full_attention', 'chunked_attention'] }, /"layer_types"/],
  ['gemma3', {}, /"text_config": it is missing/],
  ['qwen2', { layer_types: ['sliding_attention', 'full_attention'] }, /"sliding_window": it is missing/],
  [
    'gpt_neo',
    { ...neo, attention_types: [[['global'], 3]] },
    /"attention_types": it is for 3 layers; expected 2 layers/,
  ],
  ['gpt_neo', { ...neo, attention_types: [[['sparse'], 2]] }, /"attention_types": it has .*sparse/],
  ['falcon', { new_decoder_architecture: true, parallel_attn: false }, /"parallel_attn"/],
  ['falcon', { num_ln_in_parallel_attn: 2 }, /"num_ln_in_parallel_attn": it is 2/],
  ['falcon', { new_decoder_architecture: true, num_kv_heads: 3 }, /"num_kv_heads": 3 does not divide/],
  ['smollm3', { no_rope_layers: [1] }, /"no_rope_layers": it has 1 numbers; expected 2/],
  ['mixtral', { num_local_experts: 2, num_experts_per_tok: 3 }, /"num_experts_per_tok": it is 3 of 2 experts/],
  ['phi', { partial_rotary_factor: 1.5 }, /"partial_rotary_factor": it is 1.5/],
  ['opt', { ...opt, hidden_size: 'wide' }, /"hidden_size": it is "wide"/],
];

describe('configurations of decoders', () => {
  for (const [type, config, message] of refused)
    it(`${type} with ${JSON.stringify(config).slice(0, 70)} is refused`, () => {
      expect(() => createModel({ model_type: type, ...base, ...config })).toThrow(message);
    });

  it('options of training and of transformers itself are passed over', () => {
    const config = {
      attention_dropout: 0.1,
      use_cache: false,
      pretraining_tp: 2,
      pruned_heads: {},
      architectures: null,
    };
    expect(createModel({ model_type: 'llama', ...base, ...config }).modelType).toBe('llama');
  });

  it('names of the model by itself, and of the text model beside an image model, are found', () => {
    const { alternatives } = createModel({ model_type: 'llama', ...base });
    expect(alternatives?.('model.norm.weight')).toEqual(['norm.weight']);
    const images = createModel({ model_type: 'gemma3', text_config: { ...base, head_dim: 6 } });
    expect(images.alternatives?.('model.norm.weight')).toEqual([
      'language_model.model.norm.weight',
      'model.language_model.norm.weight',
    ]);
  });

  it('a model_type that nobody registered is named, with those there are', () => {
    expect(() => createModel({ model_type: 'rwkv' })).toThrow(
      /"model_type" is "rwkv", which is not registered; there is .*qwen3_moe/,
    );
    expect(modelTypes()).toContain('gpt_neox');
  });
});
