// GPT-2. Checkpoints hold its matrices as [inputs, outputs], files the other way round.
import type { Architecture } from './architecture.ts';
import { key, rowsOf, specialIds } from './architecture.ts';

export const gpt2: Architecture = {
  names: () => ({
    token_embd: 'transformer.wte',
    position_embd: 'transformer.wpe',
    output_norm: 'transformer.ln_f',
    output: 'lm_head',
    'blk.{}.attn_norm': 'transformer.h.{}.ln_1',
    'blk.{}.attn_qkv': 'transformer.h.{}.attn.c_attn',
    'blk.{}.attn_output': 'transformer.h.{}.attn.c_proj',
    'blk.{}.ffn_norm': 'transformer.h.{}.ln_2',
    'blk.{}.ffn_up': 'transformer.h.{}.mlp.c_fc',
    'blk.{}.ffn_down': 'transformer.h.{}.mlp.c_proj',
  }),

  arranged: (name) =>
    /^blk\.\d+\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$/.test(name) ? { kind: 'transposed' } : undefined,

  config(source) {
    const { metadata, tensors } = source;
    return {
      architectures: ['GPT2LMHeadModel'],
      model_type: 'gpt2',
      n_embd: metadata.count(key(source, 'embedding_length')),
      n_layer: metadata.count(key(source, 'block_count')),
      n_head: metadata.count(key(source, 'attention.head_count')),
      n_inner: metadata.count(key(source, 'feed_forward_length')),
      n_positions: metadata.count(key(source, 'context_length')),
      layer_norm_epsilon: metadata.number(key(source, 'attention.layer_norm_epsilon')),
      activation_function: 'gelu_new',
      vocab_size: rowsOf(source, 'token_embd.weight'),
      tie_word_embeddings: !tensors.has('output.weight'),
      ...specialIds(metadata),
    };
  },
};
