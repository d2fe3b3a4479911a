// Whisper's view of a sound (Radford et al., arXiv:2212.04356 §2.2): the logarithm of the energies of frequency bands that are as wide
// as the ear has them. Bands and numbers as in WhisperFeatureExtractor of transformers.
import { powerSpectrum } from './fourier.ts';

export interface LogMelOptions {
  /** Bands, from 0 to 8000 Hz. */
  readonly bands: number;
  /** Samples that a frame looks at, and samples from one frame to the next. */
  readonly window: number;
  readonly hop: number;
  readonly sampleRate: number;
}

/** samples → [bands, frames], one frame every `hop` samples. What is quieter than the loudest by 80 dB is all the same. */
export function logMel(samples: Float32Array, options: LogMelOptions): { shape: [number, number]; data: Float32Array } {
  const { bands, window, hop } = options;
  const frames = Math.floor(samples.length / hop);
  const bins = Math.floor(window / 2) + 1;
  const hann = Float64Array.from({ length: window }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / window));
  const filters = melFilters(bins, options);
  const spectrum = powerSpectrum(window);
  const [signal, power] = [new Float64Array(window), new Float64Array(bins)];
  const data = new Float32Array(bands * frames);
  let loudest = -Infinity;
  for (let t = 0; t < frames; t++) {
    const start = t * hop - Math.floor(window / 2);
    for (let i = 0; i < window; i++) signal[i] = hann[i]! * samples[mirrored(start + i, samples.length)]!;
    spectrum(signal, power);
    for (let b = 0; b < bands; b++) {
      const { first, weights } = filters[b]!;
      let energy = 0;
      for (let k = 0; k < weights.length; k++) energy += weights[k]! * power[first + k]!;
      const level = Math.log10(Math.max(energy, 1e-10));
      data[b * frames + t] = level;
      loudest = Math.max(loudest, level);
    }
  }
  for (let i = 0; i < data.length; i++) data[i] = (Math.max(data[i]!, loudest - 8) + 4) / 4;
  return { shape: [bands, frames], data };
}

/** A place beyond an end is mirrored there. */
function mirrored(at: number, length: number): number {
  const period = Math.max(1, 2 * (length - 1));
  const within = ((at % period) + period) % period;
  return within < length ? within : period - within;
}

interface Filter {
  /** The first bin that counts, and the weights from there on. */
  readonly first: number;
  readonly weights: Float64Array;
}

/** Triangles over the mel scale of Slaney's Auditory Toolbox, each of area 1. */
function melFilters(bins: number, { bands, sampleRate }: LogMelOptions): Filter[] {
  const top = toMel(8000);
  const corners = Float64Array.from({ length: bands + 2 }, (_, i) => toHertz((top * i) / (bands + 1)));
  return Array.from({ length: bands }, (_, b) => {
    const [low, middle, high] = corners.subarray(b, b + 3) as unknown as [number, number, number];
    const all = Float64Array.from({ length: bins }, (_, k) => {
      const hertz = (k * Math.floor(sampleRate / 2)) / (bins - 1);
      const height = Math.min((hertz - low) / (middle - low), (high - hertz) / (high - middle));
      return (Math.max(0, height) * 2) / (high - low);
    });
    const first = Math.max(0, all.findIndex((w) => w > 0)); // prettier-ignore
    const last = all.findLastIndex((w) => w > 0);
    return { first, weights: all.slice(first, last + 1) };
  });
}

/** Linear up to 1000 Hz, logarithmic above. */
const toMel = (hertz: number): number =>
  hertz < 1000 ? (3 * hertz) / 200 : 15 + Math.log(hertz / 1000) * (27 / Math.log(6.4));
const toHertz = (mel: number): number =>
  mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp(((mel - 15) * Math.log(6.4)) / 27);
