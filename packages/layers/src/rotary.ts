// Rotary position embeddings (Su et al., arXiv:2104.09864): angles of pairs of elements that grow with the position, and the ways
// to stretch them to longer contexts. Frequencies and tables are computed on the host in f64.
import {
  add,
  cast,
  cos,
  expandDims,
  expr,
  gather,
  mul,
  max,
  pointwise,
  reshape,
  round,
  sin,
  sub,
} from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';

/** How the frequencies are stretched to contexts longer than the `original` one. */
export type RotaryScaling =
  /** Positions divided by a factor (Chen et al., arXiv:2306.15595). */
  | { readonly kind: 'linear'; readonly factor: number }
  /** A base that grows with the length of what is read, from the original context on. */
  | { readonly kind: 'dynamic'; readonly factor: number; readonly original: number }
  /** Low frequencies divided by a factor, high ones kept, a ramp between (Peng et al., arXiv:2309.00071). */
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly original: number;
      /** Turns within the original context from which on a frequency is kept, and up to which it is divided. */
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Are the ends of the ramp whole numbers? */
      readonly truncate: boolean;
      readonly attentionFactor: number;
    }
  /** A factor for each frequency, one list up to the original context and one beyond (Ding et al., arXiv:2402.13753). */
  | {
      readonly kind: 'longrope';
      readonly original: number;
      readonly short: readonly number[];
      readonly long: readonly number[];
      readonly attentionFactor: number;
    }
  /** As yarn, with a ramp over wavelengths (Llama 3.1). */
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly original: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
    };

export interface RotaryEmbedding {
  /** How many elements of a head are rotated; one more where it is odd. */
  readonly size: number;
  /** Base of the frequencies. */
  readonly theta: number;
  readonly scaling?: RotaryScaling | undefined;
  /** Pairs are neighbours instead of (x[i], x[i + size / 2]). */
  readonly interleaved?: boolean;
}

export interface RotaryOptions extends RotaryEmbedding {
  /** Positions are below this. */
  readonly positions: number;
}

/** Angles of rotary embeddings for some positions. */
export interface Rotary {
  readonly cos: Tensor; // [B or 1, T, 1, size / 2]
  readonly sin: Tensor;
  readonly interleaved: boolean;
}

/** Cosines and sines of the angles at `positions` [B, T] (i32). */
export function rotary(g: Graph, positions: Tensor, options: RotaryOptions): Rotary {
  const { scaling, interleaved = false } = options;
  const name = `rotary.${options.theta}.${options.size}.${options.positions}`;
  if (scaling?.kind === 'dynamic') return { ...dynamicAngles(g, positions, name, options), interleaved };
  const variants =
    scaling?.kind === 'longrope'
      ? [inverseFrequencies(options), inverseFrequencies(options, scaling.original + 1)]
      : [inverseFrequencies(options)];
  const amplitude = scaling && 'attentionFactor' in scaling ? scaling.attentionFactor : 1;
  const half = variants[0]!.length;
  const rows = scaling?.kind === 'longrope' ? longOrShort(positions, scaling.original, options.positions) : positions;
  const values = (part: string, fn: (x: number) => number): Tensor => {
    const table = new Float32Array(variants.length * options.positions * half);
    variants.forEach((frequencies, v) => {
      for (let p = 0; p < options.positions; p++)
        frequencies.forEach((f, i) => (table[(v * options.positions + p) * half + i] = amplitude * fn(p * f)));
    });
    const label = scaling ? `${name}.${scaling.kind}${'factor' in scaling ? scaling.factor : ''}` : name;
    const all = g.constant(`${label}.${part}`, [variants.length * options.positions, half], table);
    return expandDims(gather(all, rows), 2);
  };
  return { cos: values('cos', Math.cos), sin: values('sin', Math.sin), interleaved };
}

/** Rows of a table that holds the short variant for all positions, then the long one: long where any position is beyond `original`. */
function longOrShort(positions: Tensor, original: number, count: number): Tensor {
  const { apply, constant, input } = expr;
  const isLong = apply('lessEqual', constant(original, 'i32'), input(1));
  return pointwise(apply('select', isLong, apply('add', input(0), constant(count, 'i32')), input(0)), [
    positions,
    max(positions, { axes: [0, 1] }),
  ]);
}

/** Frequencies by the longest position that is read, so the angles are computed on the device. */
function dynamicAngles(g: Graph, positions: Tensor, name: string, options: RotaryOptions): Pick<Rotary, 'cos' | 'sin'> {
  const count = options.positions;
  const frequencies = Array.from({ length: count }, (_, p) => inverseFrequencies(options, p + 1));
  const half = frequencies[0]!.length;
  // Turns in two parts, the first so short that its product with any position is exact: angles keep their precision however far.
  const unit = 2 ** (24 - Math.ceil(Math.log2(count + 1)));
  const turns = frequencies.flatMap((row) => [...row].map((f) => f / (2 * Math.PI)));
  const coarse = Float32Array.from(turns, (t) => Math.round(t * unit) / unit);
  const fine = Float32Array.from(turns, (t, i) => t - coarse[i]!);
  const longest = reshape(max(positions, { axes: [0, 1] }), [1]);
  const p = expandDims(expandDims(cast(positions, 'f32'), 2), 3); // [B, T, 1, 1]
  const part = (label: string, table: Float32Array): Tensor => {
    const row = gather(g.constant(`${name}.dynamic.${label}`, [count, half], table), longest); // [1, half]
    const product = mul(p, reshape(row, [1, 1, 1, half]));
    return sub(product, round(product));
  };
  const turned = add(part('coarse', coarse), part('fine', fine)); // [B, T, 1, half], of a turn
  const angle = mul(sub(turned, round(turned)), 2 * Math.PI);
  return { cos: cos(angle), sin: sin(angle) };
}

/** Angle a position of each pair of elements, for a context of `length` where that matters: [size / 2]. */
export function inverseFrequencies({ size, theta, scaling }: RotaryEmbedding, length = 1): Float64Array {
  const half = Math.ceil(size / 2);
  const plain = (base: number): Float64Array =>
    Float64Array.from({ length: half }, (_, i) => base ** ((-2 * i) / size));
  if (!scaling) return plain(theta);
  switch (scaling.kind) {
    case 'linear':
      return plain(theta).map((f) => f / scaling.factor);
    case 'dynamic': {
      const { factor, original } = scaling;
      const stretch = (factor * Math.max(length, original)) / original - (factor - 1);
      return plain(theta * stretch ** (size / (size - 2)));
    }
    case 'yarn':
      return yarn(plain(theta), size, theta, scaling);
    case 'longrope': {
      const factors = length > scaling.original ? scaling.long : scaling.short;
      return plain(theta).map((f, i) => f / factors[i]!);
    }
    case 'llama3':
      return plain(theta).map((f) => llama3(f, scaling));
    default:
      return scaling satisfies never;
  }
}

function yarn(
  plain: Float64Array,
  size: number,
  theta: number,
  scaling: RotaryScaling & { kind: 'yarn' },
): Float64Array {
  const { factor, original, betaFast, betaSlow, truncate } = scaling;
  /** The pair of elements that turns so often within the original context. */
  const pair = (turns: number): number => (size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const whole = (x: number, round: (x: number) => number): number => (truncate ? round(x) : x);
  const low = Math.max(whole(pair(betaFast), Math.floor), 0);
  const end = Math.min(whole(pair(betaSlow), Math.ceil), size - 1);
  const high = low === end ? end + 0.001 : end;
  return plain.map((f, i) => {
    const ramp = Math.min(Math.max((i - low) / (high - low), 0), 1);
    return (f / factor) * ramp + f * (1 - ramp);
  });
}

function llama3(f: number, scaling: RotaryScaling & { kind: 'llama3' }): number {
  const { factor, original, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
  const wavelength = (2 * Math.PI) / f;
  if (wavelength < original / high) return f;
  if (wavelength > original / low) return f / factor;
  const smooth = (original / wavelength - low) / (high - low);
  return ((1 - smooth) * f) / factor + smooth * f;
}
