// Features against those of transformers; what becomes of sounds that are short, long or of another kind; times of what is said.
import { fileURLToPath } from 'node:url';
import { folder, openCheckpoint, readJson } from '@transept/checkpoint';
import type { Files } from '@transept/checkpoint';
import { generate } from '@transept/generate';
import { ConfigReader, loadModel } from '@transept/models';
import { reference } from '@transept/tensor';
import type { Tokenizer } from '@transept/tokenizer';
import { describe, expect, it } from 'vitest';
import type { TextModel } from '../load.ts';
import { featureOptions, soundFeatures } from './features.ts';
import type { FeatureOptions } from './features.ts';
import { segmentsOf } from './segments.ts';
import { transcribe } from './transcribe.ts';

const fixtures = fileURLToPath(new URL('../../../../fixtures', import.meta.url));
const recorded = await openCheckpoint(folder(`${fixtures}/preprocessing`), { file: 'sound.safetensors' });
const read = (name: string): Promise<Float32Array<ArrayBuffer>> => recorded.read(name, { as: 'f32' });
const sound = { samples: await read('samples'), sampleRate: 16000 };

async function options(change: Readonly<Record<string, unknown>> = {}): Promise<FeatureOptions> {
  const json = await readJson(folder(`${fixtures}/preprocessing/whisper`), 'preprocessor_config.json');
  return featureOptions(new ConfigReader({ ...json, ...change }), 24);
}

describe('features', () => {
  it.each([
    ['features', {}, 'all'],
    ['features_cut', { chunk_length: 1 }, 'cut'],
    ['features_long', { chunk_length: 1 }, 'all'],
  ])('%s', async (name, change, samples) => {
    const cut = samples === 'cut' ? { ...sound, samples: sound.samples.subarray(0, 16000) } : sound;
    const { shape, data } = soundFeatures(cut, await options(change));
    const expected = await read(name);
    expect(shape).toEqual(recorded.find(name).shape);
    expected.forEach((x, i) => expect(Math.abs(data[i]! - x)).toBeLessThan(1e-4));
  });

  it('refuse what they are not made for', async () => {
    const usual = await options();
    expect(() => soundFeatures({ ...sound, sampleRate: 44100 }, usual)).toThrow(
      '44100 samples a second; the model takes 16000',
    );
    expect(() => soundFeatures({ ...sound, samples: Float32Array.of(0, NaN) }, usual)).toThrow('sample 1 is NaN');
    await expect(options({ dither: 0.1 })).rejects.toThrow('"dither": 0.1 is not supported');
    await expect(options({ feature_size: 80 })).rejects.toThrow('"feature_size": it is 80; expected 24');
  });
});

describe('segments', () => {
  const at = { firstTimestamp: 100, step: 0.5, window: 20, decode: (ids: readonly number[]) => ids.join(' ') };

  it('lie between timestamps', () => {
    expect(segmentsOf([100, 1, 2, 104, 104, 3, 110], at)).toEqual([
      { text: '1 2', start: 0, end: 2 },
      { text: '3', start: 2, end: 5 },
    ]);
  });

  it('go on where another one was begun, or after all that the model took', () => {
    expect(segmentsOf([100, 1, 106, 106, 100, 2, 103], at)).toEqual([
      { text: '1', start: 0, end: 3 },
      { text: '2', start: 3, end: 4.5 },
    ]);
    expect(segmentsOf([100, 1, 106, 101, 2], at)).toEqual([
      { text: '1', start: 0, end: 3 },
      { text: '2', start: 20.5, end: undefined },
    ]);
  });
});

describe('transcribe', () => {
  const config = { chunk_length: 1, sampling_rate: 4480, feature_size: 12 };

  async function tiny(name: string): Promise<TextModel> {
    const inner = folder(`${fixtures}/hf/${name}`);
    const bytes = new TextEncoder().encode(JSON.stringify({ feature_extractor: config }));
    const isOwn = (path: string): boolean => path === 'processor_config.json';
    const files: Files = {
      name,
      has: async (path, o) => isOwn(path) || inner.has(path, o),
      size: async (path, o) => (isOwn(path) ? bytes.length : inner.size(path, o)),
      read: async (path, o = {}) => (isOwn(path) ? bytes.slice(o.start, o.end) : inner.read(path, o)),
    };
    const loaded = await loadModel(files, reference());
    const tokenizer = { decode: (ids: readonly number[]) => ids.join(' ') } as unknown as Tokenizer;
    const generationConfig = await readJson(inner, 'generation_config.json');
    return { name, files, loaded, tokenizer, generationConfig, [Symbol.dispose]: () => loaded[Symbol.dispose]() };
  }
  const short = { samples: sound.samples.subarray(0, 3000), sampleRate: 4480 };

  it('gives the text of each sound, with times where it is asked or has to', async () => {
    using model = await tiny('whisper');
    const at = featureOptions(new ConfigReader(config), 12);
    const { shape, data } = soundFeatures(short, at);
    const inputFeatures = { shape: [1, ...shape], data };
    const { generationConfig } = model;
    const { sequences } = await generate(model.loaded, { inputFeatures }, { generationConfig, maxNewTokens: 6 });
    const long = { ...short, samples: sound.samples.subarray(0, 6000) };
    const [one, two] = await transcribe(model, [short, long], { maxNewTokens: 6 });
    expect(one).toEqual({ text: [...sequences[0]!].join(' ') });
    expect(two!.segments!.length).toBeGreaterThan(0);
    const [timed] = await transcribe(model, [short], { maxNewTokens: 6, timestamps: true });
    expect(timed!.segments).toBeDefined();
    await expect(transcribe(model, [long], { timestamps: false })).rejects.toThrow(
      'a sound of 1.3 s is longer than the 1 s that the model takes at once',
    );
  });

  it('refuses models that take no sounds', async () => {
    using model = await tiny('bart');
    await expect(transcribe(model, [short])).rejects.toThrow('transcribe: bart is a "bart", which takes no sounds');
  });
});
