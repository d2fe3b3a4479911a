// Rotary embeddings in a config.json: `rope_parameters` as transformers writes them now, `rope_theta` with `rope_scaling` as it did
// before 2025, and keys of single families. What holds where both are there is what holds in transformers.
import type { RotaryEmbedding, RotaryScaling } from '@transept/layers';
import type { ConfigReader } from '../config.ts';

export interface RotaryKeys {
  /** D */
  readonly headSize: number;
  readonly maxPositions: number;
  /** Base where the configuration has none. Default: 10000. */
  readonly theta?: number;
  readonly thetaKey?: string;
  /** Share of a head that is rotated where the configuration does not say. Default: all, and no family's own way to say less. */
  readonly partial?: number;
  readonly partialKey?: string;
  /** The original context by a key of its own, which then goes before that of the parameters. */
  readonly original?: number;
  /** Other names of the kinds of scaling. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** Rotary embeddings as the top of a configuration describes them. */
export function rotaryConfig(config: ConfigReader, keys: RotaryKeys): RotaryEmbedding {
  const scaling = config.inner('rope_scaling');
  const parameters = scaling && scaling.keys.length > 0 ? scaling : config.inner('rope_parameters');
  return rotaryParameters(config, parameters, keys);
}

/** Rotary embeddings from an object of parameters, with the keys of the configuration that it stands in for what it lacks. */
export function rotaryParameters(
  config: ConfigReader,
  parameters: ConfigReader | undefined,
  keys: RotaryKeys,
): RotaryEmbedding {
  const { headSize, thetaKey = 'rope_theta', partialKey = 'partial_rotary_factor' } = keys;
  const from = (key: string): ConfigReader => (parameters?.has(key) ? parameters : config);
  const theta = parameters?.has('rope_theta')
    ? parameters.number('rope_theta')
    : config.number(thetaKey, keys.theta ?? 10000);
  const named = parameters?.has('rope_type')
    ? parameters.text('rope_type')
    : parameters?.has('type')
      ? parameters.text('type')
      : 'default';
  const kind = keys.aliases?.[named] ?? named;
  // Without scaling, families that rotate whole heads take no notice of a share.
  const shared = keys.partial !== undefined || kind !== 'default';
  const share = parameters?.has('partial_rotary_factor')
    ? parameters.number('partial_rotary_factor')
    : config.number(partialKey, keys.partial ?? 1);
  if (shared && !(share > 0 && share <= 1))
    from('partial_rotary_factor').fail(partialKey, `it is ${share}`, 'a number above 0, at most 1');
  const size = shared ? Math.floor(headSize * share) : headSize;
  if (size < 2 || 2 * Math.ceil(size / 2) > headSize || (kind === 'yarn' && size % 2 === 1))
    config.fail(partialKey, `${size} of the ${headSize} elements of a head are rotated`, 'a share that gives pairs');
  if (theta <= 0) from('rope_theta').fail('rope_theta', `it is ${theta}`, 'a number above 0');
  const scaling = parameters && readScaling(kind, parameters, config, keys, Math.ceil(size / 2));
  return { size, theta, scaling };
}

function readScaling(
  kind: string,
  parameters: ConfigReader,
  config: ConfigReader,
  { maxPositions, original: own }: RotaryKeys,
  pairs: number,
): RotaryScaling | undefined {
  const key = 'original_max_position_embeddings';
  const original = own ?? (config.has(key) ? config.size(key) : parameters.size(key, maxPositions));
  const positive = (name: string, fallback?: number): number => {
    const value = parameters.number(name, fallback);
    return value > 0 ? value : parameters.fail(name, `it is ${value}`, 'a number above 0');
  };
  const factor = (): number => positive('factor', maxPositions / original);
  switch (kind) {
    case 'default':
      return undefined;
    case 'linear':
      return { kind, factor: positive('factor') };
    case 'dynamic':
      return { kind, factor: positive('factor'), original: maxPositions };
    case 'yarn':
      return {
        kind,
        factor: factor(),
        original,
        betaFast: parameters.number('beta_fast', 0) || 32,
        betaSlow: parameters.number('beta_slow', 0) || 1,
        truncate: parameters.flag('truncate', true),
        attentionFactor: yarnAttention(parameters, factor()),
      };
    case 'longrope': {
      const [short, long] = ['short_factor', 'long_factor'].map((name) => {
        const factors = parameters.numbers(name);
        if (factors.length !== pairs)
          parameters.fail(name, `it has ${factors.length} numbers`, `${pairs}, one for each pair`);
        return factors;
      }) as [readonly number[], readonly number[]];
      const usual = factor() <= 1 ? 1 : Math.sqrt(1 + Math.log(factor()) / Math.log(original));
      return { kind, original, short, long, attentionFactor: parameters.number('attention_factor', usual) };
    }
    case 'llama3':
      return {
        kind,
        factor: positive('factor'),
        original,
        lowFrequencyFactor: positive('low_freq_factor'),
        highFrequencyFactor: positive('high_freq_factor'),
      };
    default:
      return parameters.fail(
        'rope_type',
        `"${kind}" is not supported`,
        'default, linear, dynamic, yarn, longrope or llama3',
      );
  }
}

/** The factor on cosines and sines: longer contexts have lower entropy (arXiv:2309.00071 §3.4). */
function yarnAttention(parameters: ConfigReader, factor: number): number {
  if (parameters.has('attention_factor')) return parameters.number('attention_factor');
  const scale = (m: number): number => (factor <= 1 ? 1 : 0.1 * m * Math.log(factor) + 1);
  const [m, all] = ['mscale', 'mscale_all_dim'].map((name) => parameters.number(name, 0)) as [number, number];
  return m && all ? scale(m) / scale(all) : scale(1);
}
