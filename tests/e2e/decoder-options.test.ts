// Options of decoder-only families that the recordings do not have: with random weights, what is decoded step by step from padded
// prompts is what one pass over each whole row gives. That holds whatever the option means, and fails where caches, padding,
// positions or experts are treated differently in the two.
import { writeSafetensors } from '@transept/checkpoint';
import type { Files, StoredTensor } from '@transept/checkpoint';
import { cpu } from '@transept/cpu-backend';
import { forward, generate } from '@transept/generate';
import { createModel, loadModel, parametersOf } from '@transept/models';
import type { LoadedModel } from '@transept/models';
import { shapeInCheckpoint } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const llamaLike = {
  hidden_size: 24,
  intermediate_size: 36,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 61,
  max_position_embeddings: 40,
};
const oldNames = { n_embd: 24, n_layer: 2, n_head: 4, n_positions: 40, vocab_size: 61 };
const neo = { hidden_size: 24, num_layers: 2, num_heads: 4, vocab_size: 61, max_position_embeddings: 40 };
const refinedWeb = { hidden_size: 24, num_hidden_layers: 2, num_attention_heads: 4, vocab_size: 61 };
const opt = { hidden_size: 24, ffn_dim: 36, num_hidden_layers: 2, num_attention_heads: 4, vocab_size: 61 };
const longrope = { type: 'longrope', short_factor: [1, 1.5], long_factor: [2, 4] };

interface Variant {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Are all prompts of one length? Then what depends on the longest row is the same for each. */
  readonly even?: true;
}

const variant = (name: string, base: object, changes: object): Variant => ({
  name,
  config: { model_type: name.split(' ')[0], ...base, ...changes },
});

const variants: readonly Variant[] = [
  variant('llama with biases, tied', llamaLike, { attention_bias: true, mlp_bias: true, tie_word_embeddings: true }),
  variant('llama with a head for each, gelu', llamaLike, {
    num_key_value_heads: null,
    head_dim: 10,
    hidden_act: 'gelu',
  }),
  variant('mistral with a window of 3', llamaLike, { sliding_window: 3 }),
  variant('mistral without a window', llamaLike, { sliding_window: null }),
  variant('qwen2 with windows above', llamaLike, { use_sliding_window: true, sliding_window: 3, max_window_layers: 1 }),
  variant('qwen3 with biases', llamaLike, { head_dim: 8, attention_bias: true }),
  variant('gemma of the first days', llamaLike, { head_dim: 8, hidden_act: 'gelu' }),
  variant('gemma2 without caps', llamaLike, {
    head_dim: 8,
    attn_logit_softcapping: null,
    final_logit_softcapping: null,
    sliding_window: 4,
  }),
  variant('gemma3_text with a pattern and scaled angles', llamaLike, {
    head_dim: 8,
    sliding_window: 3,
    sliding_window_pattern: 2,
    rope_theta: 1000000,
    rope_local_base_freq: 5000,
    rope_scaling: { rope_type: 'linear', factor: 8 },
    final_logit_softcapping: 5,
  }),
  variant('phi with head norms and groups', llamaLike, { qk_layernorm: true, partial_rotary_factor: 0.7 }),
  variant('phi3 with a window, partly rotated', llamaLike, { sliding_window: 4, partial_rotary_factor: 0.67 }),
  { ...variant('phi3 beyond its original context', llamaLike, phi3Long()), even: true },
  variant('gpt2 scaled by layer, untied', oldNames, {
    scale_attn_by_inverse_layer_idx: true,
    scale_attn_weights: false,
    tie_word_embeddings: false,
    n_inner: 20,
    activation_function: 'relu',
  }),
  variant('gpt_neo all local', neo, { attention_types: [[['local'], 2]], window_size: 3 }),
  variant('gpt_neox in sequence, odd share, tied', llamaLike, {
    use_parallel_residual: false,
    attention_bias: false,
    rotary_pct: 0.55,
    tie_word_embeddings: true,
  }),
  variant('opt with norms after and narrow embeddings', opt, { do_layer_norm_before: false, word_embed_proj_dim: 10 }),
  variant('opt without weights of norms and biases', opt, {
    layer_norm_elementwise_affine: false,
    enable_bias: false,
    tie_word_embeddings: false,
  }),
  variant('opt without its last norm', opt, { _remove_final_layer_norm: true }),
  variant('falcon in groups with two norms', refinedWeb, { new_decoder_architecture: true, num_kv_heads: 2 }),
  variant('falcon in groups with one norm', refinedWeb, {
    new_decoder_architecture: true,
    num_kv_heads: 2,
    num_ln_in_parallel_attn: 1,
  }),
  variant('falcon with linear biases', refinedWeb, {
    alibi: true,
    multi_query: false,
    parallel_attn: false,
    bias: true,
  }),
  variant(
    'bloom with normed residuals',
    {},
    {
      hidden_size: 24,
      n_layer: 2,
      n_head: 6,
      vocab_size: 61,
      apply_residual_connection_post_layernorm: true,
    },
  ),
  variant('stablelm in parallel with head norms', llamaLike, {
    use_parallel_residual: true,
    qk_layernorm: true,
    use_qkv_bias: true,
    partial_rotary_factor: 0.7,
  }),
  variant('olmo2 with biases', llamaLike, { attention_bias: true }),
  variant('granite untied', llamaLike, { logits_scaling: 3, attention_multiplier: 0.1, residual_multiplier: 0.5 }),
  variant('starcoder2 without biases', llamaLike, { use_bias: false, tie_word_embeddings: false }),
  variant('smollm3 with windows where nothing is rotated', llamaLike, {
    no_rope_layer_interval: 2,
    use_sliding_window: true,
    sliding_window: 3,
  }),
  variant('mixtral with a window', llamaLike, { sliding_window: 3, num_local_experts: 4 }),
  variant('qwen3_moe with many experts in every other layer', llamaLike, {
    decoder_sparse_step: 2,
    moe_intermediate_size: 10,
    num_experts: 40,
    num_experts_per_tok: 3,
    norm_topk_prob: false,
  }),
  variant('llama with dynamic angles', llamaLike, { rope_scaling: { type: 'dynamic', factor: 2 } }),
  variant('llama with yarn', llamaLike, { rope_scaling: { rope_type: 'yarn', factor: 4 } }),
];

function phi3Long(): object {
  return { rope_scaling: longrope, partial_rotary_factor: 0.67, original_max_position_embeddings: 9 };
}

/** Every weight that a model asks for, with normal random values that keep activations near 1. */
function randomModel(config: Variant['config']): Files {
  let state = 7;
  const uniform = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const tensors: Record<string, StoredTensor> = {};
  for (const { source } of parametersOf(createModel(config)))
    if ('parts' in source)
      for (const part of source.parts) {
        const { name } = part;
        const shape = shapeInCheckpoint(part);
        const scale = shape.length > 1 ? 1.4 / Math.sqrt(Math.min(...shape)) : 0.2;
        const isNorm = shape.length === 1 && name.endsWith('weight') && !source.plus;
        const data = Float32Array.from(
          { length: shape.reduce((a, b) => a * b, 1) },
          () => scale * normal() + Number(isNorm),
        );
        tensors[name] = { dtype: 'F32', shape, data };
      }
  const files = new Map([
    ['config.json', new TextEncoder().encode(JSON.stringify(config))],
    ['model.safetensors', writeSafetensors(tensors)],
  ]);
  return {
    name: 'memory',
    has: async (path) => files.has(path),
    size: async (path) => files.get(path)!.length,
    read: async (path, { start = 0, end } = {}) => files.get(path)!.slice(start, end) as Uint8Array<ArrayBuffer>,
  };
}

/** Greedy search with one pass over the whole row for every token, which is a new one each time. */
async function passByPass(model: LoadedModel, prompt: readonly number[], count: number): Promise<number[]> {
  const row = [...prompt];
  for (let i = 0; i < count; i++) {
    const { logits } = await forward(model, { inputIds: [row] });
    const last = logits!.data.subarray(-logits!.shape[2]!);
    for (const id of [pad, ...row]) last[id] = -Infinity;
    row.push(last.indexOf(Math.max(...last)));
  }
  return row;
}

const pad = 0;

describe('options of decoders, step by step and pass by pass', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await cpu({ threads: 1 });
  });
  afterAll(() => backend[Symbol.dispose]());
  const steps = 8;

  for (const { name, config, even } of variants)
    it(name, async () => {
      using model = await loadModel(randomModel(config), backend);
      const prompts = [[5, 17, 42, 8, 30, 11], even ? [3, 9, 14, 60, 2, 33] : [7, 50]];
      const { sequences } = await generate(
        model,
        { inputIds: prompts },
        { maxNewTokens: steps, padTokenId: pad, suppressTokens: [pad], noRepeatNgramSize: 1 },
      );
      for (const [r, prompt] of prompts.entries()) {
        const alone = await passByPass(model, prompt, steps);
        expect([...sequences[r]!].slice(prompts[0]!.length - prompt.length)).toEqual(alone);
      }
      const beams = { maxNewTokens: steps, padTokenId: pad, numBeams: 3, lengthPenalty: 0 };
      const found = await generate(model, { inputIds: prompts }, beams);
      expect(found.scores![0]).toBeCloseTo(await logProbability(model, found.sequences[0]!, steps), 3);
    });
});

/** Of the last `count` ids of a row, each by a pass over what is before it. */
async function logProbability(model: LoadedModel, row: Int32Array, count: number): Promise<number> {
  let sum = 0;
  for (let t = row.length - count; t < row.length; t++) {
    const { logits } = await forward(model, { inputIds: [row.subarray(0, t)] });
    const scores = logits!.data.subarray(-logits!.shape[2]!);
    const most = Math.max(...scores);
    sum += scores[row[t]!]! - most - Math.log(scores.reduce((s, x) => s + Math.exp(x - most), 0));
  }
  return sum;
}
