import { fileURLToPath } from 'node:url';
import {
  blobs,
  CheckpointError,
  convert,
  folder,
  gguf,
  openCheckpoint,
  readJson,
  writeSafetensors,
} from '@transept/checkpoint';
import type { Files, ReadOptions, StoredTensor } from '@transept/checkpoint';
import { BackendError, expandStored, reference, storedBytes, UnsupportedError } from '@transept/tensor';
import type { Backend, Parameter, Storage } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import { loadModel } from './load.ts';
import type { LoadedModel, LoadProgress } from './load.ts';
import { parametersOf } from './loading/parameters.ts';

const stories = folder(fileURLToPath(new URL('../../../fixtures/stories260k-llama', import.meta.url)));

/** The same files, with a change to what is read of the weights. */
const withReads = (change: (bytes: Uint8Array<ArrayBuffer>, options: ReadOptions) => unknown): Files => ({
  ...stories,
  async read(path, options = {}) {
    const bytes = await stories.read(path, options);
    if (path === 'model.safetensors') await change(bytes, options);
    return bytes;
  },
});

describe('loadModel', () => {
  it('reports every byte once, and then nothing is left to come', async () => {
    const seen: LoadProgress[] = [];
    using loaded = await loadModel(stories, reference(), { onProgress: (progress) => void seen.push(progress) });
    const { bytes, totalBytes, remainingMs } = seen.at(-1)!;
    expect(bytes).toBe(totalBytes);
    expect(remainingMs ?? 0).toBe(0);
    expect(seen.map((p) => p.bytes)).toEqual(seen.map((p) => p.bytes).toSorted((a, b) => a - b));
    expect(loaded.stored.size).toBe(0);
  });

  it('stores matrices that a checkpoint has the other way round, exchanged as they are loaded', async () => {
    const files = folder(fileURLToPath(new URL('../../../fixtures/tiny-random-gpt2', import.meta.url)));
    const name = 'transformer.h.0.mlp.c_fc.weight';
    const values = await (await openCheckpoint(files)).read(name, { as: 'f32', shape: [32, 128] });
    const exchanged = values.map((_, i) => values[(i % 32) * 128 + Math.floor(i / 32)]!);
    for (const weights of ['f32', 'q8'] as const) {
      const backend = reference();
      using loaded = await loadModel(files, backend, { weights });
      expect(loaded.stored.get(name)).toBe(weights === 'q8' ? 'q8' : undefined);
      const bytes = await backend.read(loaded.parameter(parametersOf(loaded.model).find((p) => p.name === name)!));
      if (weights === 'q8') expect(expandStored('q8', bytes)).toEqual(expandStored('q8', asBytes(exchanged, 'q8')));
      else expect(new Float32Array(bytes.buffer)).toEqual(exchanged);
    }
  });

  it.each(['f16', 'bf16', 'q8', 'q4'] as const)('stores matrices as %s, the rest as f32', async (weights) => {
    const backend = reference();
    using loaded = await loadModel(stories, backend, { weights });
    using plain = await loadModel(stories, reference());
    const checkpoint = await openCheckpoint(stories);
    // Rows of 172 are no whole blocks of 32.
    const blocks = weights === 'q8' || weights === 'q4';
    expect(loaded.stored.has('model.layers.0.mlp.down_proj.weight')).toBe(!blocks);
    expect(loaded.stored.get('model.layers.4.self_attn.o_proj.weight')).toBe(weights);
    expect(loaded.stored.has('model.norm.weight')).toBe(false);
    expect(loaded.bytes).toBeLessThan(plain.bytes * { f16: 0.51, bf16: 0.51, q8: 0.45, q4: 0.35 }[weights]);
    for (const parameter of parametersOf(loaded.model)) {
      if (!('parts' in parameter.source)) continue;
      const storage = loaded.stored.get(parameter.name);
      const read = await Promise.all(parameter.source.parts.map(({ name }) => checkpoint.read(name, { as: 'f32' })));
      const values = Float32Array.from(read.flatMap((part) => [...part]));
      const bytes = await backend.read(loaded.parameter(parameter));
      expect(bytes.length).toBe(Math.ceil((storage ? storedBytes(storage, values.length) : values.length * 4) / 4) * 4);
      const expected = storage ? expandStored(storage, asBytes(values, storage)) : values;
      const found = storage
        ? expandStored(storage, bytes.subarray(0, storedBytes(storage, values.length)))
        : new Float32Array(bytes.buffer);
      expect({ name: parameter.name, same: found.every((x, i) => x === expected[i]) }).toEqual({
        name: parameter.name,
        same: true,
      });
    }
  });

  it.each([
    ['q8', 'stories260k-q8_0.gguf'],
    ['f16', 'stories260k-f16.gguf'],
  ] as const)('keeps weights that a GGUF file has as %s, rows in the order of the model', async (weights, name) => {
    const files = await gguf(folder(fileURLToPath(new URL('../../../fixtures/gguf', import.meta.url))), name);
    const backend = reference();
    using loaded = await loadModel(files, backend, { weights });
    const checkpoint = await openCheckpoint(files);
    let kept = 0;
    for (const parameter of parametersOf(loaded.model)) {
      if (!('parts' in parameter.source) || !loaded.stored.has(parameter.name)) continue;
      const read = await Promise.all(parameter.source.parts.map((part) => checkpoint.read(part.name, { as: 'f32' })));
      const values = Float32Array.from(read.flatMap((part) => [...part]));
      const bytes = await backend.read(loaded.parameter(parameter));
      // Expanded, they are what the file's blocks stand for: nothing was rounded again.
      expect(expandStored(weights, bytes.subarray(0, storedBytes(weights, values.length)))).toEqual(values);
      kept++;
    }
    expect(kept).toBeGreaterThan(15);
  });

  it('refuses a storage that the backend does not take, by name, and one that no weight can have', async () => {
    const backend = reference();
    const { weights: _, ...can } = backend.capabilities;
    const plain: Backend = { ...backend, capabilities: { ...can, weights: new Set(['f16']) } };
    const refused = loadModel(stories, plain, { weights: 'q4' });
    await expect(refused).rejects.toThrow(UnsupportedError);
    await expect(refused).rejects.toThrow('load: weights as q4: the reference backend cannot; it takes f32, f16');
    const aren = folder(fileURLToPath(new URL('../../../fixtures/aren-transliteration', import.meta.url)));
    using loaded = await loadModel(aren, reference(), { weights: 'q8', modelType: 'opennmt' });
    expect([...new Set(loaded.stored.values())]).toEqual(['q8']);
  });

  it('names the weight and the value that f16 cannot hold', async () => {
    const { tensors } = await openCheckpoint(stories);
    const { start: first, dtype } = tensors.get('model.layers.2.mlp.up_proj.weight')!;
    expect(dtype).toBe('F32');
    const files = withReads((bytes, { start = 0 }) => {
      const at = first + 4 * 70 - start;
      if (at >= 0 && at < bytes.length) new DataView(bytes.buffer, bytes.byteOffset).setFloat32(at, -70_000, true);
    });
    const loading = loadModel(files, reference(), { weights: 'f16' });
    await expect(loading).rejects.toThrow(/model\.layers\.2\.mlp\.up_proj\.weight/);
    await expect(loading).rejects.toThrow(/element 70 is -70000, which f16 cannot hold; expected ±65504/);
    using _ = await loadModel(files, reference(), { weights: 'bf16' });
  });

  it('refuses keys and values as f16 where memory cannot hold them, or where they go beyond it', async () => {
    const backend = reference();
    const dtypes = new Set(['f32', 'i32'] as const);
    const without: Backend = { ...backend, capabilities: { ...backend.capabilities, dtypes } };
    const refused = loadModel(stories, without, { keyValueCache: 'f16' });
    await expect(refused).rejects.toThrow(UnsupportedError);
    await expect(refused).rejects.toThrow(
      'load: keys and values as f16: memory of the reference backend holds f32, i32 here; leave keyValueCache out',
    );
    // Norms [64], the only weights of 256 bytes, a million times as large.
    const scaled: Backend = {
      ...backend,
      write: (buffer, data, at) =>
        backend.write(buffer, data.byteLength === 256 ? (data as Float32Array).map((x) => x * 1e6) : data, at),
    };
    const before = backend.memory.bytes;
    await expect(loadModel(stories, scaled, { keyValueCache: 'f16' })).rejects.toThrow(
      /layer 0 of the decoder makes -?\d+\.?\d* of a few tokens, and f16 ends at 65504/,
    );
    expect(backend.memory.bytes).toBe(before);
    using loaded = await loadModel(stories, backend, { keyValueCache: 'f16' });
    expect(loaded.keyValueCache).toBe('f16');
  });

  it('checks the memory before it reads a weight', async () => {
    const backend = reference();
    let most = 0;
    const files = withReads((_, { end = Infinity }) => void (most = Math.max(most, end)));
    const small = (more: object): Backend => ({ ...backend, capabilities: { ...backend.capabilities, ...more } });
    await expect(loadModel(files, small({ maxMemoryBytes: 1_000_000 }))).rejects.toThrow(
      /the weights take 1\d{6} bytes; the reference backend has 1000000, of which 0 are in use/,
    );
    const growing = small({ maxMemoryBytes: 1_000_000, moreMemory: { bytes: 2_000_000, how: 'ask for it' } });
    await expect(loadModel(files, growing)).rejects.toThrow(/the storages it takes\. More: ask for it$/);
    await expect(loadModel(files, small({ maxBufferBytes: 100_000 }))).rejects.toThrow(
      /"model\.embed_tokens\.weight" of shape \[512, 64\] takes 131072 bytes; .* allows 100000/,
    );
    // The header and no more.
    expect(most).toBeLessThanOrEqual(65_536);
    using loaded = await loadModel(files, small({ maxMemoryBytes: 1_000_000 }), { weights: 'f16' });
    expect(loaded.bytes).toBeLessThan(1_000_000);
  });

  it('gives a name one content: other values or another shape under it are refused', async () => {
    using loaded = await loadModel(stories, reference());
    const table = (name: string, ...values: number[]): Parameter => ({
      name,
      shape: [values.length],
      dtype: 'f32',
      source: { values: Float32Array.from(values) },
    });
    const first = loaded.parameter(table('table', 1, 2));
    expect(loaded.parameter(table('table', 1, 2))).toBe(first);
    const others: [number, number][] = [[2, 1], [-1, -2]]; // prettier-ignore
    for (const values of others)
      expect(() => loaded.parameter(table('table', ...values))).toThrow(
        'load: constant "table" of f32 [2] has other values than before; a name stands for one content',
      );
    expect(() => loaded.parameter(table('table', 1, 2, 3))).toThrow(
      'load: "table" was constant f32 [2] and is constant f32 [3]; a name stands for one content',
    );
    expect(() => loaded.parameter(table('model.norm.weight', 1))).toThrow(
      'load: "model.norm.weight" was weight f32 [64] and is constant f32 [1]',
    );
  });

  it('names the tensors that it never reads, but no tables that can be computed', async () => {
    const checkpoint = await openCheckpoint(stories);
    const tensors: Record<string, StoredTensor> = {};
    for (const { name, shape } of checkpoint.tensors.values())
      tensors[name] = { dtype: 'F32', shape, data: await checkpoint.read(name, { as: 'f32' }) };
    const add = (name: string, ...shape: number[]): void => {
      tensors[name] = { dtype: 'F32', shape, data: new Float32Array(shape.reduce((a, b) => a * b)) };
    };
    add('model.layers.0.self_attn.rotary_emb.inv_freq', 4);
    add('model.layers.0.attn.bias', 1, 1, 4, 4);
    add('model.layers.0.attn.masked_bias', 1);
    add('model.position_ids', 1, 4);
    add('model.layers.0.self_attn.q_proj.bias', 64);
    add('model.layers.0.attention.bias', 64);
    const bytes = writeSafetensors(tensors);
    const files: Files = {
      ...stories,
      size: async (path) => (path === 'model.safetensors' ? bytes.length : stories.size(path)),
      read: async (path, options = {}) =>
        path === 'model.safetensors' ? bytes.slice(options.start, options.end) : stories.read(path, options),
    };
    using loaded = await loadModel(files, reference());
    expect([...loaded.unused].sort()).toEqual([
      'model.layers.0.attention.bias',
      'model.layers.0.self_attn.q_proj.bias',
    ]);
    using plain = await loadModel(stories, reference());
    expect(plain.unused).toEqual([]);
  });

  /** stories260K says that its output is tied, and has nothing else; this gives it an output of its own. */
  async function withOutput(
    change: (values: Float32Array<ArrayBuffer>, tensors: Record<string, StoredTensor>) => void,
  ): Promise<Files> {
    const checkpoint = await openCheckpoint(stories);
    const tensors: Record<string, StoredTensor> = {};
    for (const { name, shape } of checkpoint.tensors.values())
      tensors[name] = { dtype: 'F32', shape, data: await checkpoint.read(name, { as: 'f32' }) };
    const { shape, data } = tensors['model.embed_tokens.weight']!;
    const copy = (data as Float32Array<ArrayBuffer>).slice();
    change(copy, tensors);
    tensors['lm_head.weight'] = { dtype: 'F32', shape, data: copy };
    const config = { ...(await readJson(stories, 'config.json')), tie_word_embeddings: true };
    return blobs({
      'config.json': new Blob([JSON.stringify(config)]),
      'model.safetensors': new Blob([writeSafetensors(tensors)]),
    });
  }

  it('reads an output beside tied embeddings where it is another one, and says so', async () => {
    using loaded = await loadModel(await withOutput((values) => (values[values.length - 1]! += 1)), reference());
    expect(loaded.warnings).toEqual([
      expect.stringMatching(/ties the output .* another "lm_head\.weight"; that is used/),
    ]);
    expect(loaded.config['tie_word_embeddings']).toBe(false);
    expect(loaded.unused).toEqual([]);
    using plain = await loadModel(stories, reference());
    expect(loaded.bytes).toBe(plain.bytes + 4 * 512 * 64);
  });

  it('leaves embeddings tied where the output is a copy of them', async () => {
    using loaded = await loadModel(await withOutput(() => {}), reference());
    using plain = await loadModel(stories, reference());
    expect([loaded.bytes, loaded.warnings, loaded.unused]).toEqual([plain.bytes, [], []]);
    expect(loaded.config['tie_word_embeddings']).toBe(true);
  });

  it.each([
    ['t5', 'lm_head.weight', 'shared.weight'],
    ['bart', 'lm_head.weight', 'model.shared.weight'],
    ['bert', 'cls.predictions.decoder.weight', 'bert.embeddings.word_embeddings.weight'],
    ['albert', 'predictions.decoder.weight', 'albert.embeddings.word_embeddings.weight'],
  ])('reads another output of %s too', async (family, name, embeddings) => {
    const files = folder(fileURLToPath(new URL(`../../../fixtures/hf/${family}`, import.meta.url)));
    const config = await readJson(files, 'config.json');
    const checkpoint = await openCheckpoint(files);
    const tensors: Record<string, StoredTensor> = {};
    for (const { name, shape } of checkpoint.tensors.values())
      tensors[name] = { dtype: 'F32', shape, data: await checkpoint.read(name, { as: 'f32' }) };
    const { shape, data } = tensors[embeddings]!;
    const load = async (values: Float32Array<ArrayBuffer>): Promise<LoadedModel> => {
      const all = { ...tensors, [name]: { dtype: 'F32', shape, data: values } as const };
      const texts = { 'config.json': JSON.stringify(config), 'model.safetensors': writeSafetensors(all) };
      return loadModel(
        blobs(Object.fromEntries(Object.entries(texts).map(([n, v]) => [n, new Blob([v])]))),
        reference(),
      );
    };
    const values = (data as Float32Array<ArrayBuffer>).toReversed();
    using other = await load(values);
    expect(other.warnings).toEqual([expect.stringContaining(`holds another "${name}"; that is used`)]);
    expect(other.unused).toEqual([]);
    expect(other.config['scale_decoder_outputs']).toBe(config['scale_decoder_outputs']);
    const output = other.parameter(parametersOf(other.model).find((p) => p.name === name)!);
    expect(new Float32Array((await other.backend.read(output)).slice().buffer)).toEqual(values);
    using copy = await load(data as Float32Array<ArrayBuffer>);
    expect([copy.warnings, copy.unused, copy.config]).toEqual([[], [], config]);
  });

  it('reads a file once for the comparison, in its order', async () => {
    const rows = 20_000;
    const config = { ...(await readJson(stories, 'config.json')), tie_word_embeddings: true, vocab_size: rows };
    const checkpoint = await openCheckpoint(stories);
    const tensors: Record<string, StoredTensor> = {};
    for (const { name, shape } of checkpoint.tensors.values())
      tensors[name] = { dtype: 'F32', shape, data: await checkpoint.read(name, { as: 'f32' }) };
    const table: StoredTensor = { dtype: 'F32', shape: [rows, 64], data: new Float32Array(rows * 64).fill(0.5) };
    const inner = blobs({
      'config.json': new Blob([JSON.stringify(config)]),
      'model.safetensors': new Blob([
        writeSafetensors({ ...tensors, 'model.embed_tokens.weight': table, 'lm_head.weight': table }),
      ]),
    });
    const starts: number[] = [];
    const read: Files['read'] = (path, options = {}) => {
      if (path === 'model.safetensors') starts.push(options.start ?? 0);
      return inner.read(path, options);
    };
    using loaded = await loadModel({ ...inner, read }, reference());
    expect([loaded.warnings, loaded.unused]).toEqual([[], []]);
    // Back only once: to the weights, when it is known which.
    expect(starts.filter((start, i) => i > 0 && start < starts[i - 1]!)).toHaveLength(1);
  });

  it('checks the memory before it compares outputs', async () => {
    const read: string[] = [];
    const inner = await withOutput(() => {});
    const files: Files = { ...inner, read: (path, options) => (read.push(path), inner.read(path, options)) };
    const { capabilities, ...backend } = reference();
    const small = { ...backend, capabilities: { ...capabilities, maxMemoryBytes: 1_000_000 } };
    await expect(loadModel(files, small)).rejects.toThrow(/the weights take 1\d{6} bytes/);
    expect(read).not.toContain('model.safetensors');
  });

  it('takes the output for the embeddings where it alone is there', async () => {
    const files = await withOutput((_, tensors) => delete tensors['model.embed_tokens.weight']);
    using loaded = await loadModel(files, reference());
    using plain = await loadModel(stories, reference());
    expect([loaded.bytes, loaded.warnings, loaded.unused]).toEqual([plain.bytes, [], []]);
    const bytesOf = ({ model, backend, parameter }: LoadedModel): Promise<Uint8Array> =>
      backend.read(parameter(parametersOf(model).find(({ name }) => name === 'model.embed_tokens.weight')!));
    expect(await bytesOf(loaded)).toEqual(await bytesOf(plain));
  });

  let stop = new AbortController();
  it.each<
    [what: string, files: Files, error: RegExp | (new () => Error), backend?: (inner: Backend) => Partial<Backend>]
  >([
    [
      'the file ends early',
      withReads((_, { start = 0 }) => start > 0 && Promise.reject(new CheckpointError('cut'))),
      /cut/,
    ],
    [
      'a value does not fit',
      withReads((bytes, { start = 0 }) => start > 0 && bytes.fill(0x7f)),
      /cannot hold|cannot be read/,
    ],
    ['it is cancelled', withReads((_, { start = 0 }) => start > 0 && stop.abort(new Error('stop'))), /stop/],
    [
      'the bytes turn out wrong',
      {
        ...stories,
        verified: async () => {
          throw new CheckpointError('SHA-256');
        },
      },
      /SHA-256/,
    ],
    [
      'memory runs out',
      stories,
      /no memory for/,
      (inner) => {
        let left = 20;
        return {
          alloc: (bytes) => {
            if (left-- === 0) throw new BackendError('full');
            return inner.alloc(bytes);
          },
        };
      },
    ],
    [
      'the device fails',
      stories,
      /lost/,
      () => {
        let left = 10;
        return {
          write: () => {
            if (left-- === 0) throw new BackendError('lost');
          },
        };
      },
    ],
  ])('leaves nothing allocated when %s', async (_, files, error, change) => {
    stop = new AbortController();
    const backend = reference();
    const failing = { ...backend, ...change?.(backend) };
    const loading = loadModel(files, failing, { weights: 'f16', signal: stop.signal });
    await expect(loading).rejects.toThrow(error);
    expect(backend.memory.bytes).toBe(0);
    expect(backend.memory.peak).toBeGreaterThan(0);
  });
});

const asBytes = (values: Float32Array<ArrayBuffer>, storage: Storage): Uint8Array => {
  const stored = convert(new Uint8Array(values.buffer), 'F32', storage);
  return new Uint8Array(stored.buffer);
};
