// The keys of a StarCoder2 config.json that change what the model computes (Starcoder2Config in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface Starcoder2Config extends CommonConfig {
  readonly biases: boolean;
  readonly window: number | undefined;
  readonly rotary: RotaryEmbedding;
}

export function starcoder2Config(config: ConfigReader): Starcoder2Config {
  const common = commonConfig(config, 'starcoder2', {
    context: 4096,
    epsKey: 'norm_epsilon',
    eps: 1e-5,
    activation: 'gelu_pytorch_tanh',
    tied: true,
    keyValueHeads: 2,
  });
  return {
    ...common,
    biases: config.flag('use_bias', true),
    window: config.sizeOrNone('sliding_window'),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context }),
  };
}
