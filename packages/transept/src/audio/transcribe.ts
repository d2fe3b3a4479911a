// What is said in sounds, as text: features, Whisper's prompt and search, decoding.
import { generate, InputError } from '@transept/generate';
import type { Generated, GenerateOptions } from '@transept/generate';
import type { TextModel } from '../load.ts';
import { readProcessorConfig } from '../processor-config.ts';
import { featureOptions, soundFeatures } from './features.ts';
import type { FeatureOptions, Sound } from './features.ts';
import { segmentsOf } from './segments.ts';
import type { Segment } from './segments.ts';

export interface TranscribeOptions extends Omit<
  GenerateOptions,
  'generationConfig' | 'returnTimestamps' | 'stepScores'
> {
  /** Also say when what is said. Default: only for sounds that are longer than the model takes at once, which need it. */
  readonly timestamps?: boolean;
  /** Called when sounds are done, with how many of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Transcription {
  readonly text: string;
  /** With timestamps. */
  readonly segments?: readonly Segment[];
}

/**
 * A text for each sound, in their order. Throws an InputError for a model that takes no sounds, a sound of another sample rate, or one
 * that is too long to go without timestamps.
 */
export async function transcribe(
  model: TextModel,
  sounds: readonly Sound[],
  options: TranscribeOptions = {},
): Promise<Transcription[]> {
  const features = await featuresOf(model, options.signal);
  const results: Transcription[] = [];
  for (const sound of sounds) {
    options.signal?.throwIfAborted();
    results.push(await transcribeOne(model, sound, features, options));
    options.onProgress?.(results.length, sounds.length);
  }
  return results;
}

async function transcribeOne(
  model: TextModel,
  sound: Sound,
  features: FeatureOptions,
  { timestamps, onProgress: _, ...options }: TranscribeOptions,
): Promise<Transcription> {
  const { shape, data } = soundFeatures(sound, features);
  const [bands, frames] = shape;
  const most = features.samples / features.hop;
  const timed = timestamps ?? frames > most;
  if (!timed && frames > most)
    throw new InputError(
      `transcribe: a sound of ${seconds(sound)} s is longer than the ${features.samples / features.sampleRate} s that the model takes at once; only with timestamps it can be`,
    );
  const generated = await generate(
    model.loaded,
    { inputFeatures: { shape: [1, bands, frames], data } },
    {
      ...options,
      returnTimestamps: timed,
      generationConfig: model.generationConfig,
      ...(model.recover && { onDeviceLost: model.recover }),
    },
  );
  const decode = (ids: readonly number[]): string => model.tokenizer!.decode(ids, { skipSpecialTokens: true });
  const ids = idsOf(generated);
  if (!timed) return { text: decode(ids).trim() };
  const segments = segmentsOf(ids, {
    firstTimestamp: firstTimestamp(model),
    step: (2 * features.hop) / features.sampleRate,
    window: features.samples / features.sampleRate,
    decode,
  });
  return { text: segments.map(({ text }) => text).join('').trim(), segments }; // prettier-ignore
}

const idsOf = ({ sequences: [ids], lengths: [length] }: Generated): number[] => [...ids!.subarray(0, length!)];

const seconds = ({ samples, sampleRate }: Sound): string => (samples.length / sampleRate).toFixed(1);

/** Timestamps are the tokens after the one that says that there are none. */
function firstTimestamp({ generationConfig, name }: TextModel): number {
  const none = generationConfig['no_timestamps_token_id'];
  if (typeof none === 'number') return none + 1;
  throw new InputError(
    `transcribe: generation_config.json of ${name} has no "no_timestamps_token_id"; so there are no times`,
  );
}

async function featuresOf(model: TextModel, signal: AbortSignal | undefined): Promise<FeatureOptions> {
  const { loaded, tokenizer, files, name } = model;
  const { modelType } = loaded.model;
  if (loaded.model.kind !== 'encoder-decoder' || !loaded.model.sourceFeatures)
    throw new InputError(`transcribe: ${name} is a "${modelType}", which takes no sounds; take one such as whisper`);
  if (!tokenizer) throw new InputError(`transcribe: ${name} has no tokenizer.json; give features to generate instead`);
  const [bands] = loaded.model.sourceFeatures as readonly [number, number];
  return featureOptions(await readProcessorConfig(files, 'feature_extractor', signal), bands);
}
