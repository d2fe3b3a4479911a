// The keys of an OLMo 2 config.json that change what the model computes (Olmo2Config in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface Olmo2Config extends CommonConfig {
  readonly attentionBias: boolean;
  readonly rotary: RotaryEmbedding;
}

export function olmo2Config(config: ConfigReader): Olmo2Config {
  const common = commonConfig(config, 'olmo2', { context: 2048, eps: 1e-5 });
  return {
    ...common,
    attentionBias: config.flag('attention_bias', false),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context }),
  };
}
