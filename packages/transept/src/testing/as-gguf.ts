// Folders of fixtures/hf as GGUF files: what a conversion would write, by the tables that reading goes by, the other way round. The
// files of fixtures/gguf, which gguf-py made, show that the tables are right; these show that every architecture's can be run.
import { blobs, gguf, openCheckpoint, readJson, type Files, type JsonObject } from '@transept/checkpoint';
import { architectures } from '../../../checkpoint/src/gguf/architectures/index.ts';
import { Metadata } from '../../../checkpoint/src/gguf/metadata.ts';
import { ggufBytes, type TestTensor, type TestValue } from '../../../checkpoint/src/gguf/testing.ts';

type Numbers = Readonly<Record<string, number>>;

/** Keys of an architecture, without its name, and where config.json has them. Whole numbers all. */
const decoderKeys = {
  context_length: 'max_position_embeddings',
  embedding_length: 'hidden_size',
  block_count: 'num_hidden_layers',
  feed_forward_length: 'intermediate_size',
  'attention.head_count': 'num_attention_heads',
  'attention.head_count_kv': 'num_key_value_heads',
  'attention.key_length': 'head_dim',
  'attention.sliding_window': 'sliding_window',
  expert_count: 'num_local_experts',
  expert_used_count: 'num_experts_per_tok',
  expert_feed_forward_length: 'moe_intermediate_size',
};
const t5Keys = {
  embedding_length: 'd_model',
  block_count: 'num_layers',
  decoder_block_count: 'num_decoder_layers',
  feed_forward_length: 'd_ff',
  'attention.head_count': 'num_heads',
  'attention.key_length': 'd_kv',
  'attention.relative_buckets_count': 'relative_attention_num_buckets',
  decoder_start_token_id: 'decoder_start_token_id',
};
const specialKeys = { bos: 'bos_token_id', eos: 'eos_token_id', padding: 'pad_token_id' };

/** `more` are keys of the architecture that config.json has in another form. */
export async function asGguf(folder: Files, architecture: string, more: Numbers = {}): Promise<Files> {
  const config = await readJson(folder, 'config.json');
  const values = valuesOf(config, architecture, more);
  const tensors = await tensorsOf(folder, architecture, values);
  return gguf(blobs({ 'm.gguf': new Blob([ggufBytes({ values, tensors })]) }), 'm.gguf');
}

function valuesOf(config: JsonObject, architecture: string, more: Numbers): Record<string, TestValue> {
  const values: Record<string, TestValue> = { 'general.architecture': { text: architecture } };
  const isT5 = architecture === 't5';
  for (const [key, from] of Object.entries(isT5 ? t5Keys : decoderKeys))
    if (typeof config[from] === 'number') values[`${architecture}.${key}`] = { u32: config[from] };
  for (const [key, from] of Object.entries(specialKeys))
    if (typeof config[from] === 'number') values[`tokenizer.ggml.${key}_token_id`] = { u32: config[from] };
  for (const [key, number] of Object.entries(more))
    values[`${architecture}.${key}`] = Number.isInteger(number) ? { u32: number } : { f32: number };
  const eps = Number(config[isT5 ? 'layer_norm_epsilon' : 'rms_norm_eps']);
  values[`${architecture}.attention.layer_norm_rms_epsilon`] = { f32: eps };
  return values;
}

async function tensorsOf(
  folder: Files,
  architecture: string,
  values: Readonly<Record<string, TestValue>>,
): Promise<Record<string, TestTensor>> {
  const checkpoint = await openCheckpoint(folder);
  const { names, arranged } = architectures.get(architecture)!;
  const numbers = Object.entries(values).flatMap(([key, v]) => ('u32' in v ? [[key, v.u32] as const] : []));
  const source = {
    metadata: new Metadata(new Map(numbers), 'm.gguf'),
    architecture,
    tensors: new Map(),
    constants: new Map(),
  };
  const patterns = Object.entries(names(source)).flatMap(([ours, theirs]) =>
    ['weight', 'bias'].map((end) => [`${ours}.${end}`, `${theirs}.${end}`] as const),
  );
  const tensors: Record<string, TestTensor> = {};
  const written = new Set<string>();
  for (const [pattern, original] of patterns)
    for (let layer = 0; layer < (pattern.includes('{}') ? 4 : 1); layer++) {
      const name = pattern.replace('{}', String(layer));
      const first = original.replace('{}', String(layer));
      const parts = Array.from({ length: first.includes('{e}') ? 8 : 1 }, (_, e) => first.replace('{e}', String(e)));
      const there = parts.filter((part) => checkpoint.tensors.has(part));
      if (there.length === 0 || written.has(there[0]!)) continue;
      const plus = arranged?.(name, source)?.kind === 'added' ? 1 : 0;
      const data = await Promise.all(there.map((part) => checkpoint.read(part, { as: 'f32' })));
      there.forEach((part) => written.add(part));
      const shape = checkpoint.find(there[0]!).shape;
      tensors[name] = {
        dims: [...shape.toReversed(), ...(first.includes('{e}') ? [there.length] : [])],
        data: new Uint8Array(await new Blob(data.map((each) => each.map((value) => value + plus))).arrayBuffer()),
      };
    }
  const left = [...checkpoint.tensors.keys()].filter((name) => !written.has(name));
  if (left.length > 0) throw new Error(`asGguf: ${architecture} has no names for ${left.join(', ')}`);
  return tensors;
}
