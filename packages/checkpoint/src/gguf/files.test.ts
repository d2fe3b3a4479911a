import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../checkpoint.ts';
import { CheckpointError } from '../errors.ts';
import { blobs } from '../files/blobs.ts';
import { folder } from '../files/folder.ts';
import { readJson, type JsonObject } from '../json.ts';
import { gguf } from './files.ts';
import { ggufBytes, type TestFile, type TestValue } from './testing.ts';

const place = new URL('../../../../fixtures/gguf', import.meta.url).pathname;

interface Expected {
  readonly config: JsonObject;
  readonly tensors: Readonly<Record<string, { readonly shape: readonly number[]; readonly sha256: string }>>;
}
const expected = JSON.parse(readFileSync(`${place}/expected.json`, 'utf8')) as Record<string, Expected>;

/** What a file cannot say, says in other words, or says beyond what the original had. */
const differing: Readonly<Record<string, readonly string[]>> = {
  gemma2: ['query_pre_attn_scalar'],
  gpt2: ['n_inner'],
  bert: ['architectures', 'add_pooling_layer'],
  phi3: ['pad_token_id'],
  't5-v11': ['relative_attention_max_distance', 'n_positions'],
};

describe('gguf', () => {
  it.each(Object.keys(expected))('%s has the tensors and the configuration it was made from', async (name) => {
    const { config, tensors } = expected[name]!;
    const files = await gguf(folder(place), `${name}.gguf`);
    const checkpoint = await openCheckpoint(files);
    expect(new Set(checkpoint.tensors.keys())).toEqual(new Set(Object.keys(tensors)));
    for (const [tensor, { shape, sha256 }] of Object.entries(tensors)) {
      const values = await checkpoint.read(tensor, { as: 'f32', shape });
      expect({ tensor, sha256: createHash('sha256').update(values).digest('hex') }).toEqual({ tensor, sha256 });
    }
    const ours = await readJson(files, 'config.json');
    for (const [key, value] of Object.entries(ours))
      if (!differing[name]?.includes(key)) expect({ key, value }).toEqual({ key, value: config[key] });
  });

  it('says of a Phi-3 without padding that it has none: the id that is assumed otherwise may be beyond its vocabulary', async () => {
    const files = await gguf(folder(place), 'phi3.gguf');
    expect(await readJson(files, 'config.json')).toMatchObject({ vocab_size: expect.any(Number), pad_token_id: null });
    expect(await readJson(files, 'generation_config.json')).not.toHaveProperty('pad_token_id');
  });

  it('says how an encoder pools its tokens, as sentence-transformers does', async () => {
    const files = await gguf(folder(place), 'bert.gguf');
    const read = async (path: string): Promise<unknown> => JSON.parse(new TextDecoder().decode(await files.read(path)));
    expect(((await read('modules.json')) as { type: string }[]).map(({ type }) => type.split('.').at(-1))).toEqual([
      'Transformer',
      'Pooling',
      'Normalize',
    ]);
    expect(await read('1_Pooling/config.json')).toMatchObject({ pooling_mode_mean_tokens: true });
  });

  it('keeps the text of a document no longer than until it is read', async () => {
    const files = await gguf(folder(place), 'stories260k-q8_0.gguf');
    const size = await files.size('tokenizer.json');
    const [once, again] = [await files.read('tokenizer.json'), await files.read('tokenizer.json')];
    expect(once.length).toBe(size);
    expect(again).toEqual(once);
    expect(again.buffer).not.toBe(once.buffer);
    expect(await files.read('tokenizer.json', { start: 2, end: 9 })).toEqual(once.slice(2, 9));
  });

  it('streams what it reads', async () => {
    for (const name of ['llama', 'gpt2', 'mixtral']) {
      const checkpoint = await openCheckpoint(await gguf(folder(place), `${name}.gguf`));
      const hashes = new Map<string, ReturnType<typeof createHash>>();
      for await (const { info, data } of checkpoint.stream(checkpoint.tensors.keys(), { as: 'f32' }))
        hashes.set(info.name, (hashes.get(info.name) ?? createHash('sha256')).update(data));
      for (const [tensor, { sha256 }] of Object.entries(expected[name]!.tensors))
        expect(hashes.get(tensor)!.digest('hex')).toBe(sha256);
    }
  });

  it('reads quantised weights to the precision of their type', async () => {
    const exact = await openCheckpoint(folder(`${place}/../stories260k-llama`));
    const stored = await openCheckpoint(await gguf(folder(place), 'stories260k-q8_0.gguf'));
    expect(stored.find('model.layers.0.self_attn.q_proj.weight')).toMatchObject({ dtype: 'Q8_0' });
    for (const name of exact.tensors.keys()) {
      const a = await exact.read(name, { as: 'f32' });
      const b = await stored.read(name, { as: 'f32' });
      const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
      const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // Half a step of a block whose largest element takes 127 steps, and the scale's own rounding to f16.
      expect(worst).toBeLessThanOrEqual(largest * (0.5 / 127 + 2 ** -11));
    }
  });
});

const count = (u32: number): TestValue => ({ u32 });
const values: Readonly<Record<string, TestValue>> = {
  'general.architecture': { text: 'llama' },
  'llama.context_length': count(64),
  'llama.embedding_length': count(8),
  'llama.block_count': count(1),
  'llama.feed_forward_length': count(16),
  'llama.attention.head_count': count(2),
  'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
};
const matrix = (...dims: number[]) => ({ dims, data: new Uint8Array(4 * dims.reduce((n, d) => n * d, 1)) });
const tensors = { 'token_embd.weight': matrix(8, 4), 'blk.0.attn_q.weight': matrix(8, 8) };
const opened = (file: TestFile): ReturnType<typeof gguf> =>
  gguf(blobs({ 'm.gguf': new Blob([ggufBytes(file)]) }), 'm.gguf');

describe('gguf, of files that are not as they should be', () => {
  it.each<[what: string, file: TestFile, message: RegExp]>([
    [
      'an unknown architecture',
      { values: { 'general.architecture': { text: 'mamba' } } },
      /"mamba" is not supported; expected one of llama/,
    ],
    ['no architecture', { values: {} }, /"general\.architecture": it is missing; expected a string/],
    [
      'a key of another type',
      { values: { ...values, 'llama.block_count': { text: '1' } }, tensors },
      /"llama\.block_count": it is "1"; expected a whole number/,
    ],
    ['no embeddings', { values, tensors: {} }, /there is no tensor "token_embd\.weight"/],
    [
      'a tensor that it does not know',
      { values, tensors: { ...tensors, 'blk.0.attn_sinks.weight': matrix(2) } },
      /tensor "blk\.0\.attn_sinks\.weight" .* cannot be left out/,
    ],
    [
      'rows that the heads do not divide',
      { values: { ...values, 'llama.attention.head_count': count(3) }, tensors },
      /expected an even number of rows for each of 3 heads/,
    ],
    [
      'heads of a tensor without rows',
      { values, tensors: { ...tensors, 'blk.0.attn_k.weight': { dims: [], data: new Uint8Array(4) } } },
      /"model\.layers\.0\.self_attn\.k_proj\.weight" has shape \[\]; expected an even number of rows for each of 2 heads/,
    ],
    ['no heads', { values: { ...values, 'llama.attention.head_count': count(0) }, tensors }, /head_count": it is 0/],
    [
      'heads that differ between layers',
      { values: { ...values, 'llama.attention.head_count_kv': { i32s: [1, 2] } }, tensors },
      /it differs between layers/,
    ],
    [
      'a part of each head rotated',
      { values: { ...values, 'llama.rope.dimension_count': count(2) }, tensors },
      /rope\.dimension_count": it is 2, heads have 4/,
    ],
    [
      'an unknown rope scaling',
      { values: { ...values, 'llama.rope.scaling.type': { text: 'su' } }, tensors },
      /"su" is not supported here; expected none, linear or yarn/,
    ],
    [
      'an unknown tokenizer',
      {
        values: { ...values, 'tokenizer.ggml.model': { text: 'rwkv' }, 'tokenizer.ggml.tokens': { texts: ['a'] } },
        tensors,
      },
      /"rwkv" is not supported; expected one of gpt2/,
    ],
    [
      'an unknown way of cutting',
      {
        values: {
          ...values,
          'tokenizer.ggml.model': { text: 'gpt2' },
          'tokenizer.ggml.pre': { text: 'new' },
          'tokenizer.ggml.tokens': { texts: ['a'] },
        },
        tensors,
      },
      /tokenizer\.ggml\.pre": "new" is not supported/,
    ],
    [
      'a token twice',
      {
        values: {
          ...values,
          'tokenizer.ggml.model': { text: 'llama' },
          'tokenizer.ggml.tokens': { texts: ['a', 'a'] },
        },
        tensors,
      },
      /"a" comes twice/,
    ],
    [
      'too few scores',
      {
        values: {
          ...values,
          'tokenizer.ggml.model': { text: 'llama' },
          'tokenizer.ggml.tokens': { texts: ['a', 'b'] },
          'tokenizer.ggml.scores': { f32s: [1] },
        },
        tensors,
      },
      /scores": it has 1 entries; expected 2/,
    ],
    [
      'a special token that there is not',
      {
        values: {
          ...values,
          'tokenizer.ggml.model': { text: 'gpt2' },
          'tokenizer.ggml.tokens': { texts: ['a'] },
          'tokenizer.ggml.merges': { texts: [] },
          'tokenizer.ggml.bos_token_id': count(9),
        },
        tensors,
      },
      /bos_token_id": it is 9; expected 0 to 0/,
    ],
    [
      'a part alone',
      { values: { ...values, 'split.count': count(2) }, tensors },
      /split\.count": it is 2; expected a file named …-00001-of-00002\.gguf/,
    ],
  ])('refuses %s', async (_, file, message) => {
    const error = await opened(file).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CheckpointError);
    expect((error as Error).message).toMatch(message);
  });

  it('joins the parts of a split file, and counts their tensors', async () => {
    const split = (...announced: number[]) => ({
      ...values,
      'split.count': count(2),
      'split.tensors.count': count(announced[0]!),
    });
    const parts = (total: number) =>
      blobs({
        'm-00001-of-00002.gguf': new Blob([
          ggufBytes({ values: split(total), tensors: { 'token_embd.weight': matrix(8, 4) } }),
        ]),
        'm-00002-of-00002.gguf': new Blob([ggufBytes({ tensors: { 'blk.0.attn_q.weight': matrix(8, 8) } })]),
      });
    const checkpoint = await openCheckpoint(await gguf(parts(2), 'm-00001-of-00002.gguf'));
    expect([...checkpoint.tensors.values()].map((tensor) => tensor.file)).toEqual([
      'm-00001-of-00002.gguf',
      'm-00002-of-00002.gguf',
    ]);
    await expect(gguf(parts(3), 'm-00001-of-00002.gguf')).rejects.toThrow(/it is 3, the files have 2/);
  });
});
