// Valid models to make wrong: small ones made here, and those of people, of which large files are changed at their beginning alone.
import { blobs, openCheckpoint, readGgufHeader, writeSafetensors } from '@transept/checkpoint';
import type { Files, ReadOptions, StoredTensor } from '@transept/checkpoint';
import { createModel, parametersOf } from '@transept/models';
import { elements, shapeInCheckpoint } from '@transept/tensor';

/** One place of files, and which of them are changed. */
export interface Sample {
  readonly name: string;
  readonly files: Files;
  readonly paths: readonly string[];
}

const encoded = (value: unknown): Blob => new Blob([JSON.stringify(value)]);

/** A float, an odd length, a scalar, nothing, and every type. */
function everyType(): Record<string, StoredTensor> {
  return {
    f64: { dtype: 'F64', shape: [2], data: Float64Array.of(1, -2) },
    f32: { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    f16: { dtype: 'F16', shape: [3], data: Uint16Array.of(0x3c00, 0x7bff, 0x8000) },
    bf16: { dtype: 'BF16', shape: [1, 1], data: Uint16Array.of(0x3f80) },
    i64: { dtype: 'I64', shape: [], data: BigInt64Array.of(-5n) },
    u8: { dtype: 'U8', shape: [0, 4], data: new Uint8Array(0) },
    bool: { dtype: 'BOOL', shape: [2], data: Uint8Array.of(0, 1) },
  };
}

const llama = {
  model_type: 'llama',
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  vocab_size: 9,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
  rope_scaling: null,
};

const marian = {
  model_type: 'marian',
  d_model: 8,
  vocab_size: 9,
  encoder_layers: 1,
  decoder_layers: 1,
  encoder_attention_heads: 2,
  decoder_attention_heads: 2,
  encoder_ffn_dim: 8,
  decoder_ffn_dim: 8,
  activation_function: 'relu',
  max_position_embeddings: 16,
  pad_token_id: 8,
  decoder_start_token_id: 8,
  eos_token_id: 0,
};

/** The weights that a configuration asks for, all zeros. */
function weightsOf(config: object): Blob {
  const tensors: Record<string, StoredTensor> = {};
  for (const { source } of parametersOf(createModel(config as Record<string, unknown>)))
    for (const part of 'parts' in source ? source.parts : [])
      tensors[part.name] = {
        dtype: 'F32',
        shape: shapeInCheckpoint(part),
        data: new Float32Array(elements(part.shape)),
      };
  return new Blob([writeSafetensors(tensors)]);
}

const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };

const tokenizers: Readonly<Record<string, object>> = {
  bpe: {
    added_tokens: [{ id: 8, content: '<s>', ...special }],
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }],
    },
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      vocab: { a: 0, b: 1, c: 2, ab: 3, abc: 4, Ġ: 5, Ġa: 6, '!': 7 },
      merges: ['a b', 'ab c', 'Ġ a'],
    },
  },
  wordPiece: {
    truncation: { direction: 'Right', max_length: 12, strategy: 'LongestFirst', stride: 0 },
    padding: null,
    added_tokens: [
      { id: 0, content: '[UNK]', ...special },
      { id: 1, content: '[CLS]', ...special },
    ],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { '[CLS]': { id: '[CLS]', ids: [1], tokens: ['[CLS]'] } },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: { '[UNK]': 0, '[CLS]': 1, a: 2, '##b': 3, '##c': 4, '!': 5 },
    },
  },
  unigram: {
    added_tokens: [{ id: 0, content: '<unk>', ...special }],
    normalizer: { type: 'Strip', strip_left: true, strip_right: false },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: {
      type: 'Unigram',
      unk_id: 0,
      byte_fallback: false,
      vocab: [
        ['<unk>', 0],
        ['▁', -1.5],
        ['a', -1],
        ['b', -2],
        ['▁ab', -2.5],
        ['c', -4],
      ],
    },
  },
};

/** Small valid models of every kind of file that can be written here. */
export function ownSamples(): Sample[] {
  const shard = (...names: string[]): Blob =>
    new Blob([writeSafetensors(Object.fromEntries(names.map((name) => [name, everyType()[name]!])))]);
  const index = {
    metadata: { total_size: 34 },
    weight_map: { f32: 'a.safetensors', f16: 'a.safetensors', i64: 'b.safetensors' },
  };
  const samples: Sample[] = [
    {
      name: 'safetensors',
      files: blobs({ 'model.safetensors': shard(...Object.keys(everyType())) }),
      paths: ['model.safetensors'],
    },
    {
      name: 'shards',
      files: blobs({
        'model.safetensors.index.json': encoded(index),
        'a.safetensors': shard('f32', 'f16'),
        'b.safetensors': shard('i64'),
      }),
      paths: ['model.safetensors.index.json', 'b.safetensors'],
    },
  ];
  for (const config of [llama, marian])
    samples.push({
      name: config.model_type,
      files: blobs({ 'config.json': encoded(config), 'model.safetensors': weightsOf(config) }),
      paths: ['config.json', 'model.safetensors'],
    });
  for (const [name, tokenizer] of Object.entries(tokenizers))
    samples.push({
      name,
      files: blobs({ 'tokenizer.json': encoded({ version: '1.0', ...tokenizer }) }),
      paths: ['tokenizer.json'],
    });
  samples.push(
    {
      name: 'vocab.txt',
      files: blobs({ 'vocab.txt': new Blob(['[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\nab\n!\n']) }),
      paths: ['vocab.txt'],
    },
    {
      name: 'merges.txt',
      files: blobs({
        'vocab.json': encoded({ a: 0, b: 1, ab: 2, Ġ: 3, '<|endoftext|>': 4 }),
        'merges.txt': new Blob(['#version: 0.2\na b\n']),
      }),
      paths: ['vocab.json', 'merges.txt'],
    },
  );
  return samples;
}

/** Larger files than this are changed in their first bytes alone. */
const HEAD_BYTES = 64 << 10;

/** The files of a model that are read when it is loaded, as far as they are there. */
export async function sampleOf(name: string, files: Files): Promise<Sample> {
  const candidates = [
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'model.safetensors.index.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'vocab.json',
    'merges.txt',
    'vocab.txt',
    'tokenizer.model',
    'spiece.model',
    'source.spm',
  ];
  const paths: string[] = [];
  for (const path of candidates) if (await files.has(path)) paths.push(path);
  return { name, files, paths };
}

/** A GGUF file alone. */
export const ggufSample = (name: string, files: Files, path: string): Sample => ({ name, files, paths: [path] });

/** How much of a file is held to be changed: all of it, or what its headers take and more. */
export async function headOf(files: Files, path: string): Promise<Uint8Array<ArrayBuffer>> {
  const size = await files.size(path);
  if (size <= 2 * HEAD_BYTES || path.endsWith('.json')) return files.read(path);
  let end = HEAD_BYTES;
  if (path.endsWith('.gguf')) end = Math.min(...(await readGgufHeader(files, path)).tensors.map(({ start }) => start));
  else if (path.endsWith('.safetensors'))
    end = Math.min(...[...(await openCheckpoint(files, { file: path })).tensors.values()].map(({ start }) => start));
  return files.read(path, { start: 0, end: Math.min(size, end + 64) });
}

/** The same files with one of them changed: its head is replaced, and it ends earlier or later by as much. */
export function replaced(files: Files, path: string, before: number, head: Uint8Array<ArrayBuffer>): Files {
  const size = async (): Promise<number> => (await files.size(path)) - before + head.length;
  return {
    name: files.name,
    has: (other) => files.has(other),
    size: (other) => (other === path ? size() : files.size(other)),
    async read(other, options: ReadOptions = {}) {
      if (other !== path) return files.read(other, options);
      const all = await size();
      const { start = 0, end = all } = options;
      const held = blobs({ [path]: new Blob([head]) });
      if (all === head.length || end > all || start > end) return held.read(path, options);
      const out = new Uint8Array(end - start);
      if (start < head.length) out.set(head.subarray(start, Math.min(end, head.length)));
      if (end > head.length) {
        const from = Math.max(start, head.length);
        out.set(
          await files.read(path, { start: from - head.length + before, end: end - head.length + before }),
          from - start,
        );
      }
      return out;
    },
  };
}
