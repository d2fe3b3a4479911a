// A T5 as small as can be, with random weights and the letters as its vocabulary, as a GGUF file.
import { ggufBytes } from '../../../packages/checkpoint/src/gguf/testing.ts';
import type { TestTensor } from '../../../packages/checkpoint/src/gguf/testing.ts';

const [width, heads, size, hidden, buckets] = [32, 2, 16, 48, 8];
const pieces = ['<pad>', '</s>', '<unk>', '▁', ...'abcdefghijklmnopqrstuvwxyz'];
/** Control tokens, the unknown one, and normal ones. */
const types = pieces.map((_, id) => (id < 2 ? 3 : id === 2 ? 2 : 1));

export function tinyGguf(): Uint8Array<ArrayBuffer> {
  let seed = 1;
  const random = (): number => ((seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5) * 1.2;
  const tensors: Record<string, TestTensor> = {};
  const add = (name: string, ...dims: number[]): void => {
    const values = Float32Array.from({ length: dims.reduce((n, d) => n * d, 1) }, () =>
      dims.length === 1 ? 1 + random() / 4 : random(),
    );
    tensors[`${name}.weight`] = { dims, data: new Uint8Array(values.buffer) };
  };
  const attention = (name: string): void => {
    add(`${name}_norm`, width);
    for (const part of ['q', 'k', 'v']) add(`${name}_${part}`, width, heads * size);
    add(`${name}_o`, heads * size, width);
  };
  add('token_embd', width, pieces.length);
  for (const part of ['enc', 'dec']) {
    attention(`${part}.blk.0.attn`);
    add(`${part}.blk.0.attn_rel_b`, heads, buckets);
    if (part === 'dec') attention('dec.blk.0.cross_attn');
    add(`${part}.blk.0.ffn_norm`, width);
    add(`${part}.blk.0.ffn_up`, width, hidden);
    add(`${part}.blk.0.ffn_down`, hidden, width);
    add(`${part}.output_norm`, width);
  }
  return ggufBytes({
    values: {
      'general.architecture': { text: 't5' },
      't5.context_length': { u32: 64 },
      't5.embedding_length': { u32: width },
      't5.block_count': { u32: 1 },
      't5.feed_forward_length': { u32: hidden },
      't5.attention.head_count': { u32: heads },
      't5.attention.key_length': { u32: size },
      't5.attention.relative_buckets_count': { u32: buckets },
      't5.attention.layer_norm_epsilon': { f32: 1e-6 },
      't5.decoder_start_token_id': { u32: 0 },
      'tokenizer.ggml.model': { text: 't5' },
      'tokenizer.ggml.tokens': { texts: pieces },
      'tokenizer.ggml.scores': { f32s: pieces.map((_, id) => (id < 3 ? 0 : -id)) },
      'tokenizer.ggml.token_type': { i32s: types },
      'tokenizer.ggml.eos_token_id': { u32: 1 },
      'tokenizer.ggml.padding_token_id': { u32: 0 },
      'tokenizer.ggml.unknown_token_id': { u32: 2 },
    },
    tensors,
  });
}
