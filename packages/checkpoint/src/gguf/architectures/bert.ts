// BERT as an encoder of sentences. Files leave out its pooler and its heads.
import type { JsonObject } from '../../json.ts';
import type { Architecture } from './architecture.ts';
import { key, rowsOf, specialIds } from './architecture.ts';

export const bert: Architecture = {
  names: () => ({
    token_embd: 'embeddings.word_embeddings',
    token_types: 'embeddings.token_type_embeddings',
    position_embd: 'embeddings.position_embeddings',
    token_embd_norm: 'embeddings.LayerNorm',
    'blk.{}.attn_q': 'encoder.layer.{}.attention.self.query',
    'blk.{}.attn_k': 'encoder.layer.{}.attention.self.key',
    'blk.{}.attn_v': 'encoder.layer.{}.attention.self.value',
    'blk.{}.attn_output': 'encoder.layer.{}.attention.output.dense',
    'blk.{}.attn_output_norm': 'encoder.layer.{}.attention.output.LayerNorm',
    'blk.{}.ffn_up': 'encoder.layer.{}.intermediate.dense',
    'blk.{}.ffn_down': 'encoder.layer.{}.output.dense',
    'blk.{}.layer_output_norm': 'encoder.layer.{}.output.LayerNorm',
  }),

  config(source) {
    const { metadata } = source;
    if (metadata.flag(key(source, 'attention.causal'), false))
      metadata.fail(key(source, 'attention.causal'), 'it is true', 'false, as for every BERT');
    return {
      architectures: ['BertModel'],
      model_type: 'bert',
      add_pooling_layer: false,
      hidden_size: metadata.count(key(source, 'embedding_length')),
      intermediate_size: metadata.count(key(source, 'feed_forward_length')),
      num_hidden_layers: metadata.count(key(source, 'block_count')),
      num_attention_heads: metadata.count(key(source, 'attention.head_count')),
      max_position_embeddings: rowsOf(source, 'position_embd.weight'),
      type_vocab_size: rowsOf(source, 'token_types.weight'),
      vocab_size: rowsOf(source, 'token_embd.weight'),
      layer_norm_eps: metadata.number(key(source, 'attention.layer_norm_epsilon')),
      hidden_act: 'gelu',
      ...specialIds(metadata),
    };
  },

  /** How the vectors of tokens become one for a text, as sentence-transformers says it. */
  documents(source) {
    const at = key(source, 'pooling_type');
    if (!source.metadata.has(at)) return {};
    const kind = source.metadata.count(at);
    const pooling = ['none', 'mean', 'cls'][kind] ?? source.metadata.fail(at, `${kind} is not supported`, '0, 1 or 2');
    if (pooling === 'none') return {};
    const step = (idx: number, path: string, type: string): JsonObject => ({
      idx,
      name: String(idx),
      path,
      type: `sentence_transformers.models.${type}`,
    });
    return {
      'modules.json': [
        step(0, '', 'Transformer'),
        step(1, '1_Pooling', 'Pooling'),
        step(2, '2_Normalize', 'Normalize'),
      ],
      '1_Pooling/config.json': {
        word_embedding_dimension: source.metadata.count(key(source, 'embedding_length')),
        pooling_mode_cls_token: pooling === 'cls',
        pooling_mode_mean_tokens: pooling === 'mean',
      },
    };
  },
};
