// Pixel values against those of transformers with Pillow, and the classes of images.
import { fileURLToPath } from 'node:url';
import { folder, openCheckpoint, readJson } from '@transept/checkpoint';
import { forward } from '@transept/generate';
import { ConfigReader, loadModel } from '@transept/models';
import { reference } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import type { TextModel } from '../load.ts';
import { classifyImages } from './classify-images.ts';
import { pixelOptions, pixelValues } from './pixel-values.ts';

const fixtures = fileURLToPath(new URL('../../../../fixtures', import.meta.url));
const recorded = await openCheckpoint(folder(`${fixtures}/preprocessing`), { file: 'image.safetensors' });
const [height, width] = recorded.find('image').shape as [number, number];
const image = { width, height, data: Uint8Array.from(await recorded.read('image', { as: 'i32' })) };

describe('pixel values', () => {
  it.each([
    ['bilinear_smaller', {}],
    [
      'bilinear_larger',
      { size: { height: 40, width: 31 }, image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] },
    ],
    ['bicubic', { size: { height: 18, width: 18 }, resample: 3, do_normalize: false }],
    ['lanczos', { size: { height: 12, width: 60 }, resample: 1, do_rescale: false, do_normalize: false }],
    ['nearest', { size: 15, resample: 0, do_normalize: false }],
    ['box', { size: { height: 15, width: 17 }, resample: 4, do_normalize: false }],
    ['hamming', { size: { height: 15, width: 17 }, resample: 5, do_normalize: false }],
    ['as_is', { do_resize: false, rescale_factor: 0.01 }],
  ])('%s', async (name, change) => {
    const json = await readJson(folder(`${fixtures}/preprocessing/vit`), 'preprocessor_config.json');
    const options = pixelOptions(new ConfigReader({ ...json, ...change }), [3, 8, 8]);
    const { shape, data } = pixelValues(image, options);
    expect(shape).toEqual(recorded.find(name).shape);
    const expected = await recorded.read(name, { as: 'f32' });
    expected.forEach((x, i) => expect(Math.abs(data[i]! - x)).toBeLessThan(1e-5));
  });

  it('leave out alpha, and spread grey', () => {
    const options = pixelOptions(
      new ConfigReader({ do_resize: false, do_normalize: false, rescale_factor: 1 }),
      [3, 1, 2],
    );
    const colours = pixelValues({ width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 9, 4, 5, 6, 9) }, options);
    expect([...colours.data]).toEqual([1, 4, 2, 5, 3, 6]);
    expect([...pixelValues({ width: 2, height: 1, data: Uint8Array.of(7, 8) }, options).data]).toEqual([
      7, 8, 7, 8, 7, 8,
    ]);
    expect(() => pixelValues({ width: 2, height: 1, data: Uint8Array.of(7, 8, 9) }, options)).toThrow(
      'image: 2 × 1 pixels with 3 bytes; expected 1, 3 or 4 bytes a pixel',
    );
  });

  it.each([
    [{ do_center_crop: true }, '"do_center_crop": true is not supported'],
    [{ size: { shortest_edge: 8 } }, '"size": it has shortest_edge; expected height and width'],
    [{ resample: 9 }, '"resample": 9 is none'],
    [{ image_mean: [1, 2] }, '"image_mean": it has 2 numbers; expected 3'],
  ])('refuse %j', (config, message) => {
    expect(() => pixelOptions(new ConfigReader(config), [3, 8, 8])).toThrow(message);
  });
});

describe('classifyImages', () => {
  const grey = { width, height, data: image.data.filter((_, i) => i % 3 === 0) };
  const open = async (name: string): Promise<TextModel> => {
    const files = folder(`${fixtures}/${name}`);
    const loaded = await loadModel(files, reference());
    return {
      name,
      files,
      loaded,
      tokenizer: undefined,
      generationConfig: {},
      [Symbol.dispose]: () => loaded[Symbol.dispose](),
    };
  };

  it('gives the classes of each image, best first', async () => {
    using model = await open('hf-heads/vit-classes');
    const [channels, rows, columns] = (model.loaded.model as { imageShape: readonly [number, number, number] })
      .imageShape;
    const { data } = pixelValues(grey, pixelOptions(new ConfigReader({}), [channels, rows, columns]));
    const { logits } = await forward(model.loaded, { pixelValues: { shape: [1, channels, rows, columns], data } });
    const best = logits!.data.indexOf(Math.max(...logits!.data));
    const upside = { ...grey, data: grey.data.toReversed() };
    const [labels, others] = await classifyImages(model, [grey, upside], { batchSize: 1 });
    expect(labels![0]!.label).toBe(`LABEL_${best}`);
    expect(labels!.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 5);
    expect(others).toHaveLength(labels!.length);
  });

  it('refuses other models', async () => {
    using model = await open('hf/bert-cls');
    await expect(classifyImages(model, [image])).rejects.toThrow(
      'is a "bert" for sequenceClassification; take one that',
    );
  });
});
