import { readFileSync } from 'node:fs';
import { folder, gguf, readJson, type Files, type JsonObject } from '@transept/checkpoint';
import { forward, generate } from '@transept/generate';
import { loadModel } from '@transept/models';
import { reference } from '@transept/tensor';
import { loadTokenizer, Tokenizer } from '@transept/tokenizer';
import { describe, expect, it } from 'vitest';
import { asGguf } from './testing/as-gguf.ts';
import { relativeError } from './verify/difference.ts';
import { openGolden } from './verify/golden.ts';
import { verify } from './verify/verify.ts';

const place = new URL('../../../fixtures/gguf/', import.meta.url).pathname;
const original = (name: string): Files => folder(`${place}../hf/${name}`);

interface Row {
  readonly text: string;
  readonly ids: readonly number[];
  readonly decoded?: string;
}
const golden = JSON.parse(readFileSync(`${place}vocab.json`, 'utf8')) as Record<string, readonly Row[]>;

/** The vocabularies come without a model: what reads them is asked directly. */
async function tokenizerJson(name: string): Promise<JsonObject> {
  const { readGgufHeader } = await import('@transept/checkpoint');
  const { readTokenizer } = await import('../../checkpoint/src/gguf/tokenizer/index.ts');
  const { metadata } = await readGgufHeader(folder(place), `vocab-${name}.gguf`);
  return readTokenizer(metadata)!.tokenizer;
}

describe('the tokenizer in a GGUF file', () => {
  it.each(Object.keys(golden))('%s does what the library does that it was made with', async (name) => {
    const tokenizer = await Tokenizer.fromJSON(await tokenizerJson(name));
    for (const { text, ids, decoded } of golden[name]!) {
      expect({ text, ids: tokenizer.ids(text) }).toEqual({ text, ids });
      if (decoded !== undefined) expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });

  it('comes with the model, as its folder has it', async () => {
    const files = await gguf(folder(place), 'stories260k-q8_0.gguf');
    expect(await readJson(files, 'tokenizer_config.json')).toMatchObject({ bos_token: '<s>', eos_token: '</s>' });
    expect(await readJson(files, 'generation_config.json')).toEqual({ bos_token_id: 1, eos_token_id: 2 });
    const tokenizer = (await loadTokenizer(files))!;
    expect(tokenizer.ids('Once upon a time')).toEqual([1, 403, 407, 261, 378]);
    expect(tokenizer.decode([403, 407, 261, 378])).toBe('Once upon a time');
  });
});

describe('a model in a GGUF file', () => {
  const only = ({ name }: { readonly name: string }): boolean =>
    ['fwd', 'fwd_left', 'fwd_dec_left', 'greedy', 'beam'].includes(name);
  /** What files of these architectures cannot say, and these small models have otherwise than the published ones. */
  const unsaid: Readonly<Record<string, JsonObject>> = {
    gemma2: { query_pre_attn_scalar: 14 },
    t5: { relative_attention_max_distance: 20 },
    't5-v11': { relative_attention_max_distance: 20 },
  };

  async function expectSame(name: string, files: Files): Promise<void> {
    const config = { ...(await readJson(files, 'config.json')), ...unsaid[name] };
    const text = new TextEncoder().encode(JSON.stringify(config));
    const more: Files = {
      ...files,
      size: async (path, options) => (path === 'more.json' ? text.length : files.size(path, options)),
      read: async (path, options) => (path === 'more.json' ? text : files.read(path, options)),
    };
    using backend = reference();
    const { calls } = await verify(more, { backend, only, goldenFiles: original(name), config: 'more.json' });
    expect(calls.length).toBeGreaterThanOrEqual(3);
    expect(calls.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
  }

  it.each(['llama', 'gemma2', 'phi3', 'gpt2', 'mixtral', 'qwen3', 't5-v11'])(
    '%s computes what the folder does that it was made from',
    async (name) => expectSame(name, await gguf(folder(place), `${name}.gguf`)),
  );

  it.each([
    ['t5', 't5', { context_length: 512 }],
    ['gemma', 'gemma', {}],
    ['gemma3', 'gemma3', { 'attention.sliding_window_pattern': 3 }],
    ['qwen2', 'qwen2', { 'rope.freq_base': 1e6 }],
    ['qwen3_moe', 'qwen3moe', {}],
  ] as const)('%s computes what its folder does, written as architecture %s', async (name, architecture, more) =>
    expectSame(name, await asGguf(original(name), architecture, more)),
  );

  it('bert gives the hidden states of the folder that it was made from', async () => {
    using backend = reference();
    using model = await loadModel(await gguf(folder(place), 'bert.gguf'), backend);
    const golden = await openGolden(original('bert'), 'golden.json');
    const { inputs, outputs } = golden.calls.find(({ name }) => name === 'fwd')!;
    const read = async (name: string) => {
      const { shape, data } = await golden.read(inputs[name]!);
      return Array.from({ length: shape[0]! }, (_, row) => [...data.subarray(row * shape[1]!, (row + 1) * shape[1]!)]);
    };
    const given = { inputIds: await read('input_ids'), attentionMask: await read('attention_mask') };
    const ours = await forward(model, { ...given, tokenTypeIds: await read('token_type_ids') }, { hiddenStates: true });
    const states = [outputs['hidden_states']!].flat();
    expect(states).toHaveLength(3);
    for (const [i, name] of states.entries())
      expect(relativeError(await golden.read(name), ours[`hidden_states.${i}`]!.data)).toBeLessThan(1e-4);
  });

  it('fills rows that end early with its end token, where it names no padding', async () => {
    const files = await gguf(folder(place), 'gpt2.gguf');
    using backend = reference();
    using model = await loadModel(files, backend);
    const golden = await openGolden(original('gpt2'), 'golden.json');
    const { inputs, outputs, args } = golden.calls.find(({ name }) => name === 'greedy')!;
    const rows = async (name: string): Promise<number[][]> => {
      const { shape, data } = await golden.read(name);
      return Array.from({ length: shape[0]! }, (_, row) => [...data.subarray(row * shape[1]!, (row + 1) * shape[1]!)]);
    };
    const { sequences } = await generate(
      model,
      { inputIds: await rows(inputs['input_ids']!), attentionMask: await rows(inputs['attention_mask']!) },
      { ...args, generationConfig: await readJson(files, 'generation_config.json') },
    );
    const [eos, prompt] = [2, (await golden.read(inputs['input_ids']!)).shape[1]!];
    const expected = (await rows(outputs['sequences'] as string)).map((row) => {
      const end = row.indexOf(eos, prompt);
      return end < 0 ? row : row.fill(eos, end);
    });
    expect(sequences.map((row) => [...row])).toEqual(expected);
    expect(sequences.some((row) => row.at(-1) === eos && row.at(-2) === eos)).toBe(true);
  });
});
