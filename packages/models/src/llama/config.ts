// The keys of a Llama config.json that change what the model computes (LlamaConfig in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface LlamaConfig extends CommonConfig {
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly rotary: RotaryEmbedding;
}

export function llamaConfig(config: ConfigReader): LlamaConfig {
  const common = commonConfig(config, 'llama', { context: 2048 });
  return {
    ...common,
    attentionBias: config.flag('attention_bias', false),
    mlpBias: config.flag('mlp_bias', false),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context }),
  };
}
