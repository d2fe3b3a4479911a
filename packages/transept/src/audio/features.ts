// Sounds as a speech model takes them: all of one length, as the levels of their frequency bands. Keys and defaults as in
// WhisperFeatureExtractor of transformers.
import { InputError } from '@transept/generate';
import type { ConfigReader } from '@transept/models';
import { logMel } from './log-mel.ts';

/** One channel of a sound. */
export interface Sound {
  /** From −1 to 1. */
  readonly samples: Float32Array;
  /** Samples a second. */
  readonly sampleRate: number;
}

export interface FeatureOptions {
  readonly bands: number;
  readonly window: number;
  readonly hop: number;
  readonly sampleRate: number;
  /** Samples that the model takes at once. */
  readonly samples: number;
  /** What sounds that are shorter are filled up with. */
  readonly padding: number;
}

/** Throws a ConfigError for what is not supported. */
export function featureOptions(config: ConfigReader, bands: number): FeatureOptions {
  config.only('dither', 0);
  config.only('do_normalize', false);
  const sampleRate = config.size('sampling_rate', 16000);
  const stored = config.size('feature_size', bands);
  if (stored !== bands) config.fail('feature_size', `it is ${stored}`, `${bands}, which config.json says`);
  const window = config.size('n_fft', 400);
  return {
    bands,
    window,
    hop: config.size('hop_length', 160),
    sampleRate,
    samples: config.size('chunk_length', 30) * sampleRate,
    padding: config.number('padding_value', 0),
  };
}

/** [bands, frames] of a sound, which is filled up to what the model takes at once; a longer one gives more frames. */
export function soundFeatures({ samples, sampleRate }: Sound, options: FeatureOptions): ReturnType<typeof logMel> {
  if (sampleRate !== options.sampleRate)
    throw new InputError(
      `transcribe: the sound has ${sampleRate} samples a second; the model takes ${options.sampleRate}, so resample it`,
    );
  const wrong = samples.findIndex((x) => !Number.isFinite(x));
  if (wrong >= 0) throw new InputError(`transcribe: sample ${wrong} is ${samples[wrong]}; all must be finite`);
  if (samples.length >= options.samples) return logMel(samples, options);
  const filled = new Float32Array(options.samples).fill(options.padding, samples.length);
  filled.set(samples);
  return logMel(filled, options);
}
