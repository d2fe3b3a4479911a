// The SmolLM shape as GGUF, for the runtimes that read nothing else: weights made from a seed, written once and kept beside the
// peers. Ids from 2 to 257 are single bytes, so that a text of so many letters is so many tokens (wllama takes texts only).
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { encode } from '@transept/checkpoint';
import { configs } from './cpu/models.ts';
import { madeModels } from './peers/installed.ts';
import { randomFloats } from './random.ts';

type Stored = 'f32' | 'q8' | 'q4';
type Value =
  | string
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly flag: boolean }
  | readonly string[]
  | Int32Array;

const alignment = 32;
/** Of ggml: its number, how many values make a block, and of how many bytes. */
const types = { f32: [0, 1, 4], q8: [8, 32, 34], q4: [2, 32, 18] } as const;
const files = { q8: 'smollm-q8_0.gguf', q4: 'smollm-q4_0.gguf' } as const;

/** The path of the model, which is made if it is not there. */
export function ggufModel(weights: 'q8' | 'q4'): string {
  const path = join(madeModels, files[weights]);
  if (existsSync(path)) return path;
  console.error(`making ${path} …`);
  mkdirSync(madeModels, { recursive: true });
  const partial = `${path}.${process.pid}`;
  write(partial, weights);
  renameSync(partial, path);
  return path;
}

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly stored: Stored;
}

function tensorsOf(weights: Stored): Tensor[] {
  const config = configs.smollm as Record<string, number>;
  const [width, hidden, vocabulary] = [config['hidden_size']!, config['intermediate_size']!, config['vocab_size']!];
  const keyWidth = (width / config['num_attention_heads']!) * config['num_key_value_heads']!;
  const matrix = (name: string, ...shape: [number, number]): Tensor => ({ name, shape, stored: weights });
  const norm = (name: string): Tensor => ({ name, shape: [width], stored: 'f32' });
  const blocks = Array.from({ length: config['num_hidden_layers']! }, (_, i) => [
    norm(`blk.${i}.attn_norm.weight`),
    matrix(`blk.${i}.attn_q.weight`, width, width),
    matrix(`blk.${i}.attn_k.weight`, keyWidth, width),
    matrix(`blk.${i}.attn_v.weight`, keyWidth, width),
    matrix(`blk.${i}.attn_output.weight`, width, width),
    norm(`blk.${i}.ffn_norm.weight`),
    matrix(`blk.${i}.ffn_gate.weight`, hidden, width),
    matrix(`blk.${i}.ffn_up.weight`, hidden, width),
    matrix(`blk.${i}.ffn_down.weight`, width, hidden),
  ]);
  return [matrix('token_embd.weight', vocabulary, width), norm('output_norm.weight'), ...blocks.flat()];
}

function valuesOf(weights: Stored): Record<string, Value> {
  const config = configs.smollm as Record<string, number>;
  const vocabulary = config['vocab_size']!;
  const u32 = (key: string): Value => ({ u32: config[key]! });
  return {
    'general.architecture': 'llama',
    'general.name': 'benchmark',
    'general.file_type': { u32: weights === 'q8' ? 7 : 2 },
    'llama.context_length': u32('max_position_embeddings'),
    'llama.embedding_length': u32('hidden_size'),
    'llama.block_count': u32('num_hidden_layers'),
    'llama.feed_forward_length': u32('intermediate_size'),
    'llama.attention.head_count': u32('num_attention_heads'),
    'llama.attention.head_count_kv': u32('num_key_value_heads'),
    'llama.attention.layer_norm_rms_epsilon': { f32: config['rms_norm_eps']! },
    'llama.rope.freq_base': { f32: config['rope_theta']! },
    'llama.rope.dimension_count': { u32: config['hidden_size']! / config['num_attention_heads']! },
    'llama.vocab_size': { u32: vocabulary },
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'default',
    'tokenizer.ggml.tokens': tokens(vocabulary),
    'tokenizer.ggml.token_type': new Int32Array(vocabulary).fill(1).fill(3, 0, 1),
    'tokenizer.ggml.merges': ['\u0100 \u0101'],
    'tokenizer.ggml.bos_token_id': { u32: 0 },
    'tokenizer.ggml.eos_token_id': { u32: 0 },
    'tokenizer.ggml.add_bos_token': { flag: false },
  };
}

/** Bytes as GPT-2 writes them, then names. */
function tokens(vocabulary: number): string[] {
  const shown = (byte: number): boolean => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
  let others = 0;
  const bytes = Array.from({ length: 256 }, (_, b) => String.fromCodePoint(shown(b) ? b : 256 + others++));
  const names = Array.from({ length: vocabulary - 258 }, (_, i) => `token${i + 258}`);
  return ['<s>', '<unk>', ...bytes, ...names];
}

function write(path: string, weights: Stored): void {
  const tensors = tensorsOf(weights);
  const header = new Header();
  header.bytes(new TextEncoder().encode('GGUF'));
  header.u32(3);
  header.u64(tensors.length);
  const values = Object.entries(valuesOf(weights));
  header.u64(values.length);
  for (const [key, value] of values) {
    header.text(key);
    header.value(value);
  }
  let end = 0;
  for (const { name, shape, stored } of tensors) {
    header.text(name);
    header.u32(shape.length);
    for (const size of shape.toReversed()) header.u64(size);
    header.u32(types[stored][0]);
    header.u64(end);
    end += aligned(bytesOf(shape, stored));
  }
  const file = openSync(path, 'w');
  try {
    writeAligned(file, header.end());
    tensors.forEach(({ shape, stored }, seed) => {
      const data = shape.length === 1 ? new Float32Array(shape[0]!).fill(1) : randomMatrix(seed, shape);
      const { buffer, byteOffset, byteLength } = stored === 'f32' ? data : encode(data, stored);
      writeAligned(file, new Uint8Array(buffer, byteOffset, byteLength));
    });
  } finally {
    closeSync(file);
  }
}

const randomMatrix = (seed: number, [rows, columns]: readonly number[]): Float32Array<ArrayBuffer> =>
  randomFloats(seed, rows! * columns!, 1 / Math.sqrt(columns!));

const bytesOf = (shape: readonly number[], stored: Stored): number => {
  const [, values, bytes] = types[stored];
  return (shape.reduce((a, b) => a * b, 1) / values) * bytes;
};

const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;

function writeAligned(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  writeSync(file, new Uint8Array(aligned(bytes.length) - bytes.length));
}

/** The head of a GGUF file. */
class Header {
  readonly #parts: Uint8Array[] = [];

  bytes(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }
  u32(value: number): void {
    this.bytes(new Uint8Array(Uint32Array.of(value).buffer));
  }
  u64(value: number): void {
    this.bytes(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer));
  }
  text(text: string): void {
    const encoded = new TextEncoder().encode(text);
    this.u64(encoded.length);
    this.bytes(encoded);
  }
  value(value: Value): void {
    if (typeof value === 'string') {
      this.u32(8);
      this.text(value);
    } else if (value instanceof Int32Array) {
      this.#list(5, value.length);
      this.bytes(new Uint8Array(value.buffer));
    } else if ('u32' in value) {
      this.u32(4);
      this.u32(value.u32);
    } else if ('f32' in value) {
      this.u32(6);
      this.bytes(new Uint8Array(Float32Array.of(value.f32).buffer));
    } else if ('flag' in value) {
      this.u32(7);
      this.bytes(Uint8Array.of(value.flag ? 1 : 0));
    } else {
      this.#list(8, value.length);
      for (const text of value) this.text(text);
    }
  }
  end(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
  #list(type: number, length: number): void {
    this.u32(9);
    this.u32(type);
    this.u64(length);
  }
}
