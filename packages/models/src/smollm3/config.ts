// The keys of a SmolLM3 config.json that change what the model computes (SmolLM3Config in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { layerTypes, slidingWindows } from '../decoder/config.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface SmolLM3Config extends CommonConfig {
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly rotary: RotaryEmbedding;
  /** Is each layer's attention rotated? */
  readonly rotated: readonly boolean[];
  /** How far each layer sees. */
  readonly windows: readonly (number | undefined)[];
}

export function smollm3Config(config: ConfigReader): SmolLM3Config {
  const common = commonConfig(config, 'smollm3', { context: 32768, keyValueHeads: 4, tied: true });
  const rotated = rotatedLayers(config, common.layers);
  const window = config.sizeOrNone('sliding_window');
  const slides = config.flag('use_sliding_window', false) && window !== undefined;
  const types = layerTypes(config, common.layers, (i) =>
    slides && !rotated[i] ? 'sliding_attention' : 'full_attention',
  );
  return {
    ...common,
    attentionBias: config.flag('attention_bias', false),
    mlpBias: config.flag('mlp_bias', false),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context, theta: 2000000 }),
    rotated,
    windows: slidingWindows(config, types, window),
  };
}

/** `no_rope_layers` has 1 where there IS rotation; without it, every `no_rope_layer_interval`-th layer goes without. */
function rotatedLayers(config: ConfigReader, layers: number): boolean[] {
  const interval = config.size('no_rope_layer_interval', 4);
  if (!config.has('no_rope_layers')) return Array.from({ length: layers }, (_, i) => (i + 1) % interval !== 0);
  const flags = config.numbers('no_rope_layers');
  if (flags.length < layers) config.fail('no_rope_layers', `it has ${flags.length} numbers`, `${layers}, one a layer`);
  return flags.map((flag) => flag !== 0);
}
