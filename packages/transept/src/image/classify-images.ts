// Classes of images.
import { forward, InputError, surviving } from '@transept/generate';
import type { TextModel } from '../load.ts';
import { readProcessorConfig } from '../processor-config.ts';
import { rankedLabels } from '../tasks/classify.ts';
import type { Label } from '../tasks/classify.ts';
import type { TaskOptions } from '../tasks/run.ts';
import { pixelOptions, pixelValues } from './pixel-values.ts';
import type { Image } from './pixel-values.ts';

/**
 * The classes of each image, best first, with scores as `classify` has them. Throws an InputError for a model that does not classify
 * images, and a ConfigError where its folder asks for something else to be done to them than is supported.
 */
export async function classifyImages(
  model: TextModel,
  images: readonly Image[],
  { batchSize = 16, signal, onProgress }: TaskOptions = {},
): Promise<Label[][]> {
  const vision = model.loaded.model;
  if (vision.kind !== 'vision' || vision.task !== 'sequenceClassification')
    throw new InputError(
      `classifyImages: ${model.name} is a "${vision.modelType}"${'task' in vision ? ` for ${vision.task}` : ''}; take one that classifies images, such as vit`,
    );
  const options = pixelOptions(await readProcessorConfig(model.files, 'image_processor', signal), vision.imageShape);
  const results: Label[][] = [];
  for (let at = 0; at < images.length; at += batchSize) {
    const some = images.slice(at, at + batchSize).map((image) => pixelValues(image, options));
    const [{ shape, data: first }] = some as [ReturnType<typeof pixelValues>];
    const data = new Float32Array(some.length * first.length);
    some.forEach((one, i) => data.set(one.data, i * first.length));
    const pixels = { shape: [some.length, ...shape], data };
    const { logits } = await surviving(model.loaded, model.recover, (loaded) =>
      forward(loaded, { pixelValues: pixels }, signal && { signal }),
    );
    const width = logits!.data.length / some.length;
    some.forEach((_, i) => results.push(rankedLabels(vision, logits!.data.subarray(i * width, (i + 1) * width))));
    onProgress?.(results.length, images.length);
  }
  return results;
}
