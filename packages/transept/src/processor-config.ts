// How a folder says that sounds or images become numbers: preprocessor_config.json, or the part of processor_config.json that newer
// files have in its place.
import { readJson } from '@transept/checkpoint';
import type { Files } from '@transept/checkpoint';
import { ConfigReader } from '@transept/models';

/** An empty configuration where the folder has none: what transformers would take by default. */
export async function readProcessorConfig(
  files: Files,
  part: 'feature_extractor' | 'image_processor',
  signal?: AbortSignal,
): Promise<ConfigReader> {
  const options = signal ? { signal } : {};
  const own = 'preprocessor_config.json';
  if (await files.has(own, options)) return new ConfigReader(await readJson(files, own, options), own);
  const all = 'processor_config.json';
  const json = (await files.has(all, options)) ? await readJson(files, all, options) : {};
  return new ConfigReader(json, all).inner(part) ?? new ConfigReader({}, own);
}
