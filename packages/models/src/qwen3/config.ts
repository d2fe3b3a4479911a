// The keys of a Qwen3 config.json that change what the model computes (Qwen3Config in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';
import { upperWindows } from '../qwen2/config.ts';

export interface Qwen3Config extends CommonConfig {
  readonly attentionBias: boolean;
  /** How far each layer sees. */
  readonly windows: readonly (number | undefined)[];
  readonly rotary: RotaryEmbedding;
}

export function qwen3Config(config: ConfigReader): Qwen3Config {
  const common = commonConfig(config, 'qwen3', { context: 32768, keyValueHeads: 32, headSize: 128 });
  return {
    ...common,
    attentionBias: config.flag('attention_bias', false),
    windows: upperWindows(config, common.layers),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context }),
  };
}
