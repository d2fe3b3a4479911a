// The keys of a Qwen2 config.json that change what the model computes (Qwen2Config in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { layerTypes, slidingWindows } from '../decoder/config.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface Qwen2Config extends CommonConfig {
  /** How far each layer sees. */
  readonly windows: readonly (number | undefined)[];
  readonly rotary: RotaryEmbedding;
}

export function qwen2Config(config: ConfigReader): Qwen2Config {
  const common = commonConfig(config, 'qwen2', { context: 32768, keyValueHeads: 32 });
  return {
    ...common,
    windows: upperWindows(config, common.layers),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context }),
  };
}

/** Where nothing else is said, layers from `max_window_layers` on have the window. */
export function upperWindows(config: ConfigReader, layers: number): (number | undefined)[] {
  const window = config.flag('use_sliding_window', false) ? config.sizeOrNone('sliding_window', 4096) : undefined;
  const lowest = config.number('max_window_layers', 28);
  const types = layerTypes(config, layers, (i) =>
    window !== undefined && i >= lowest ? 'sliding_attention' : 'full_attention',
  );
  return slidingWindows(config, types, window);
}
