// What loading takes of the host's memory in all, garbage included, with models that exist only as a header: bytes are made when they
// are read, and the device forgets what is written to it.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { blobs, gguf } from '@transept/checkpoint';
import type { Files } from '@transept/checkpoint';
import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { expect, it } from 'vitest';
import { ggufBytes } from '../../../checkpoint/src/gguf/testing.ts';
import type { TestTensor, TestValue } from '../../../checkpoint/src/gguf/testing.ts';
import { loadModel } from '../load.ts';

const MB = 1e6;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const config = {
  model_type: 'llama',
  hidden_size: 1024,
  intermediate_size: 4096,
  num_hidden_layers: 3,
  num_attention_heads: 16,
  vocab_size: 16000,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};
const { hidden_size: C, intermediate_size: F, vocab_size: V, num_hidden_layers: layers } = config;

function shapes(): Record<string, number[]> {
  const all: Record<string, number[]> = {
    'model.embed_tokens.weight': [V, C],
    'lm_head.weight': [V, C],
    'model.norm.weight': [C],
  };
  for (let i = 0; i < layers; i++) {
    const at = `model.layers.${i}`;
    for (const name of ['q', 'k', 'v', 'o']) all[`${at}.self_attn.${name}_proj.weight`] = [C, C];
    for (const name of ['gate', 'up']) all[`${at}.mlp.${name}_proj.weight`] = [F, C];
    all[`${at}.mlp.down_proj.weight`] = [C, F];
    for (const name of ['input', 'post_attention']) all[`${at}.${name}_layernorm.weight`] = [C];
  }
  return all;
}

/** A file of which only the beginning is there; all else is zeros. */
function headed(path: string, head: Uint8Array<ArrayBuffer>, size: number, others: Record<string, Blob> = {}): Files {
  const inner = blobs(others);
  return {
    ...inner,
    has: async (asked) => asked === path || inner.has(asked),
    size: async (asked) => (asked === path ? size : inner.size(asked)),
    async read(asked, options = {}) {
      if (asked !== path) return inner.read(asked, options);
      const { start = 0, end = size, into } = options;
      const bytes = into?.subarray(0, end - start) ?? new Uint8Array(end - start);
      bytes.fill(0);
      if (start < head.length) bytes.set(head.subarray(start, end));
      return bytes;
    },
  };
}

interface Source {
  readonly files: Files;
  readonly size: number;
  /** Bytes of the largest tensor, as the file has it. */
  readonly largest: number;
}

function safetensors(dtype: 'F16' | 'F32'): Source {
  const header: Record<string, object> = {};
  let [end, largest] = [0, 0];
  for (const [name, shape] of Object.entries(shapes())) {
    const bytes = shape.reduce((n, d) => n * d, dtype === 'F16' ? 2 : 4);
    header[name] = { dtype, shape, data_offsets: [end, (end += bytes)] };
    largest = Math.max(largest, bytes);
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + json.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
  head.set(json, 8);
  const size = head.length + end;
  const others = { 'config.json': new Blob([JSON.stringify(config)]) };
  return { files: headed('model.safetensors', head, size, others), size, largest };
}

/** Types of elements in GGUF files, and the bytes of 32 of them. */
const kinds = { F16: [1, 64], Q8_0: [8, 34], Q4_0: [2, 18] } as const;

async function ggufFile(
  kind: keyof typeof kinds,
  values: Record<string, TestValue>,
  matrices: Record<string, number[]>,
  vectors: Record<string, number>,
): Promise<Source> {
  const tensors: Record<string, TestTensor> = {};
  let [end, largest] = [0, 0];
  const [type, per32] = kinds[kind];
  const add = (name: string, dims: number[], type: number, bytes: number): void => {
    tensors[name] = { dims, type, offset: end };
    end += Math.ceil(bytes / 32) * 32;
    largest = Math.max(largest, bytes);
  };
  for (const [name, dims] of Object.entries(matrices)) add(name, dims, type, (dims[0]! * dims[1]! * per32) / 32);
  for (const [name, length] of Object.entries(vectors)) add(name, [length], 0, 4 * length);
  const head = ggufBytes({ values, tensors });
  const size = head.length + end;
  return { files: await gguf(headed('m.gguf', head, size), 'm.gguf'), size, largest };
}

function llama(kind: keyof typeof kinds): Promise<Source> {
  const matrices: Record<string, number[]> = { 'token_embd.weight': [C, V], 'output.weight': [C, V] };
  const vectors: Record<string, number> = { 'output_norm.weight': C };
  for (let i = 0; i < layers; i++) {
    for (const name of ['q', 'k', 'v', 'output']) matrices[`blk.${i}.attn_${name}.weight`] = [C, C];
    for (const name of ['gate', 'up']) matrices[`blk.${i}.ffn_${name}.weight`] = [C, F];
    matrices[`blk.${i}.ffn_down.weight`] = [F, C];
    for (const name of ['attn', 'ffn']) vectors[`blk.${i}.${name}_norm.weight`] = C;
  }
  const values: Record<string, TestValue> = {
    'general.architecture': { text: 'llama' },
    'llama.embedding_length': { u32: C },
    'llama.feed_forward_length': { u32: F },
    'llama.block_count': { u32: layers },
    'llama.attention.head_count': { u32: 16 },
    'llama.context_length': { u32: 64 },
    'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
  };
  return ggufFile(kind, values, matrices, vectors);
}

/** Its matrices lie the other way round, and are larger than its vocabulary. */
function gpt2(kind: keyof typeof kinds): Promise<Source> {
  const width = 1024;
  const matrices: Record<string, number[]> = { 'token_embd.weight': [width, 512], 'position_embd.weight': [width, 64] };
  const vectors: Record<string, number> = { 'output_norm.weight': width, 'output_norm.bias': width };
  for (let i = 0; i < 2; i++) {
    const at = `blk.${i}`;
    const sizes = { attn_qkv: [width, 3 * width], attn_output: [width, width], ffn_up: [width, 8 * width] };
    for (const [name, dims] of Object.entries({ ...sizes, ffn_down: [8 * width, width] })) {
      matrices[`${at}.${name}.weight`] = dims;
      vectors[`${at}.${name}.bias`] = dims[1]!;
    }
    for (const name of ['attn', 'ffn'])
      for (const part of ['weight', 'bias']) vectors[`${at}.${name}_norm.${part}`] = width;
  }
  const values: Record<string, TestValue> = {
    'general.architecture': { text: 'gpt2' },
    'gpt2.embedding_length': { u32: width },
    'gpt2.feed_forward_length': { u32: 8 * width },
    'gpt2.block_count': { u32: 2 },
    'gpt2.attention.head_count': { u32: 16 },
    'gpt2.context_length': { u32: 64 },
    'gpt2.attention.layer_norm_epsilon': { f32: 1e-5 },
  };
  return ggufFile(kind, values, matrices, vectors);
}

/** Bytes of buffers that were taken meanwhile, at the most: whether they are still in use or not. */
async function peakOf({ files }: Source, weights: 'f32' | 'f16' | 'q8' | 'q4'): Promise<number> {
  const device = reference();
  let [peak, written] = [0, 0];
  // The second finds what the first left to be freed beside it.
  collect();
  collect();
  const before = process.memoryUsage().arrayBuffers;
  const forgetful: Backend = {
    ...device,
    alloc: (bytes) => ({ bytes, [Symbol.dispose]() {} }),
    write(_, data) {
      written += data.byteLength;
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    },
  };
  using loaded = await loadModel(files, forgetful, { weights });
  expect(written).toBeGreaterThanOrEqual(loaded.bytes * 0.99);
  return peak;
}

it.each([
  ['safetensors in F16', 'f32', () => safetensors('F16')],
  ['safetensors in F16', 'f16', () => safetensors('F16')],
  ['safetensors in F16', 'q8', () => safetensors('F16')],
  ['GGUF in Q8_0 with rows in pairs', 'f32', () => llama('Q8_0')],
  ['GGUF in Q4_0 with rows in pairs', 'q8', () => llama('Q4_0')],
  ['GGUF in F16 with matrices transposed', 'f32', () => gpt2('F16')],
] as const)(
  '%s goes to the device as %s and takes less of the host than twice its largest tensor and 64 MB',
  async (_, weights, make) => {
    const source = await make();
    expect(source.size).toBeGreaterThan(40 * MB);
    const peak = await peakOf(source, weights);
    expect(peak).toBeGreaterThan(8 * MB);
    expect(peak).toBeLessThan(2 * source.largest + 64 * MB);
  },
);

it('takes no more for a tensor of any size than pieces of it', async () => {
  expect(await peakOf(safetensors('F32'), 'f32')).toBeLessThan(40 * MB);
});
