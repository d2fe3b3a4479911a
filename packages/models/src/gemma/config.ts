// The keys of a Gemma config.json that change what the model computes (GemmaConfig in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface GemmaConfig extends CommonConfig {
  readonly attentionBias: boolean;
  readonly rotary: RotaryEmbedding;
}

export function gemmaConfig(config: ConfigReader): GemmaConfig {
  const common = commonConfig(config, 'gemma', {
    context: 8192,
    activation: 'gelu_pytorch_tanh',
    tied: true,
    keyValueHeads: 16,
    headSize: 256,
  });
  // The first checkpoints say gelu, and were trained with the approximation.
  const said = config.text('hidden_act', 'gelu');
  return {
    ...common,
    activation: said === 'gelu' ? 'geluTanh' : common.activation,
    attentionBias: config.flag('attention_bias', false),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context }),
  };
}
