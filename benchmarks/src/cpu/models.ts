// The whole models that are timed: shapes of well-known ones, weights made from a seed, a fixed number of tokens.
import type { Json } from '@transept/models';
import type { Weights } from './operators.ts';

/** The default translator: Marian, 7 M parameters. */
const translator: Json = {
  model_type: 'marian',
  d_model: 256,
  encoder_layers: 3,
  decoder_layers: 3,
  encoder_attention_heads: 8,
  decoder_attention_heads: 8,
  encoder_ffn_dim: 1024,
  decoder_ffn_dim: 1024,
  activation_function: 'swish',
  vocab_size: 6001,
  decoder_vocab_size: 6001,
  max_position_embeddings: 256,
  scale_embedding: true,
  share_encoder_decoder_embeddings: true,
  tie_word_embeddings: true,
  pad_token_id: 6000,
  eos_token_id: 0,
  bos_token_id: 0,
  decoder_start_token_id: 6000,
};

/** SmolLM-135M. */
const smollm: Json = {
  model_type: 'llama',
  vocab_size: 49152,
  hidden_size: 576,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  intermediate_size: 1536,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  bos_token_id: 0,
  eos_token_id: 0,
};

/** all-MiniLM-L6. */
const minilm: Json = {
  model_type: 'bert',
  vocab_size: 30522,
  hidden_size: 384,
  num_hidden_layers: 6,
  num_attention_heads: 12,
  intermediate_size: 1536,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  hidden_act: 'gelu',
  layer_norm_eps: 1e-12,
  pad_token_id: 0,
};

export const configs = { translator, smollm, minilm };

export interface Task {
  readonly model: keyof typeof configs;
  readonly weights: Weights;
  /** Sequences at once, and tokens of each prompt or source. */
  readonly rows: number;
  readonly length: number;
  /** Tokens to generate, 0 for an encoder. */
  readonly tokens: number;
  readonly beams: number;
}

export interface TaskCase {
  readonly name: string;
  readonly task: Task;
}

const generates = (
  model: Task['model'],
  what: string,
  weights: Weights,
  own: Omit<Task, 'model' | 'weights'>,
): TaskCase => ({
  name: `${model} ${what} ${weights}`,
  task: { model, weights, ...own },
});

const weightTypes = ['f32', 'q8', 'q4'] as const;

export const taskCases: readonly TaskCase[] = [
  ...weightTypes.flatMap((weights) => [
    generates('translator', 'greedy', weights, { rows: 1, length: 12, tokens: 64, beams: 1 }),
    generates('translator', 'batch 16', weights, { rows: 16, length: 12, tokens: 16, beams: 1 }),
  ]),
  generates('translator', 'beam 4', 'f32', { rows: 1, length: 12, tokens: 32, beams: 4 }),
  ...weightTypes.flatMap((weights) => [
    generates('minilm', '1×128', weights, { rows: 1, length: 128, tokens: 0, beams: 1 }),
    generates('minilm', '16×128', weights, { rows: 16, length: 128, tokens: 0, beams: 1 }),
  ]),
  ...weightTypes.flatMap((weights) => [
    generates('smollm', 'decode after 16', weights, { rows: 1, length: 16, tokens: 32, beams: 1 }),
    generates('smollm', 'decode after 1024', weights, { rows: 1, length: 1024, tokens: 32, beams: 1 }),
  ]),
];
