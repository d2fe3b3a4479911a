// T5 and its version 1.1, encoder and decoder.
import type { Architecture, Source } from './architecture.ts';
import { key, rowsOf, specialIds } from './architecture.ts';

const gated = ({ tensors }: Source): boolean => tensors.has('enc.blk.0.ffn_gate.weight');

/** A block's feed-forward part is its third sublayer in the decoder, its second in the encoder. */
function blockNames(source: Source, part: 'enc' | 'dec', stack: 'encoder' | 'decoder'): Record<string, string> {
  const from = (name: string): string => `${part}.blk.{}.${name}`;
  const layer = (index: number, name: string): string => `${stack}.block.{}.layer.${index}.${name}`;
  const feed = part === 'enc' ? 1 : 2;
  return {
    [from('attn_norm')]: layer(0, 'layer_norm'),
    [from('attn_q')]: layer(0, 'SelfAttention.q'),
    [from('attn_k')]: layer(0, 'SelfAttention.k'),
    [from('attn_v')]: layer(0, 'SelfAttention.v'),
    [from('attn_o')]: layer(0, 'SelfAttention.o'),
    [from('attn_rel_b')]: layer(0, 'SelfAttention.relative_attention_bias'),
    [from('cross_attn_norm')]: layer(1, 'layer_norm'),
    [from('cross_attn_q')]: layer(1, 'EncDecAttention.q'),
    [from('cross_attn_k')]: layer(1, 'EncDecAttention.k'),
    [from('cross_attn_v')]: layer(1, 'EncDecAttention.v'),
    [from('cross_attn_o')]: layer(1, 'EncDecAttention.o'),
    [from('cross_attn_rel_b')]: layer(1, 'EncDecAttention.relative_attention_bias'),
    [from('ffn_norm')]: layer(feed, 'layer_norm'),
    [from('ffn_gate')]: layer(feed, 'DenseReluDense.wi_0'),
    [from('ffn_up')]: layer(feed, gated(source) ? 'DenseReluDense.wi_1' : 'DenseReluDense.wi'),
    [from('ffn_down')]: layer(feed, 'DenseReluDense.wo'),
    [`${part}.output_norm`]: `${stack}.final_layer_norm`,
  };
}

export const t5: Architecture = {
  names: (source) => ({
    token_embd: 'shared',
    output: 'lm_head',
    ...blockNames(source, 'enc', 'encoder'),
    ...blockNames(source, 'dec', 'decoder'),
  }),

  config(source) {
    const { metadata, tensors } = source;
    const layers = metadata.count(key(source, 'block_count'));
    const start = metadata.count(key(source, 'decoder_start_token_id'));
    return {
      architectures: ['T5ForConditionalGeneration'],
      model_type: 't5',
      is_encoder_decoder: true,
      d_model: metadata.count(key(source, 'embedding_length')),
      d_kv: metadata.count(key(source, 'attention.key_length')),
      d_ff: metadata.count(key(source, 'feed_forward_length')),
      num_layers: layers,
      num_decoder_layers: metadata.count(key(source, 'decoder_block_count'), layers),
      num_heads: metadata.count(key(source, 'attention.head_count')),
      relative_attention_num_buckets: metadata.count(key(source, 'attention.relative_buckets_count')),
      relative_attention_max_distance: 128,
      layer_norm_epsilon: metadata.number(
        key(source, 'attention.layer_norm_epsilon'),
        metadata.number(key(source, 'attention.layer_norm_rms_epsilon'), 1e-6),
      ),
      feed_forward_proj: gated(source) ? 'gated-gelu' : 'relu',
      tie_word_embeddings: !tensors.has('output.weight'),
      vocab_size: rowsOf(source, 'token_embd.weight'),
      n_positions: metadata.count(key(source, 'context_length')),
      decoder_start_token_id: start,
      // Every T5 begins its decoding with the padding.
      pad_token_id: start,
      ...specialIds(metadata),
    };
  },
};
