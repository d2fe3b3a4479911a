// The keys of a Mistral config.json that change what the model computes (MistralConfig in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface MistralConfig extends CommonConfig {
  readonly window: number | undefined;
  readonly rotary: RotaryEmbedding;
}

export function mistralConfig(config: ConfigReader): MistralConfig {
  const common = commonConfig(config, 'mistral', { context: 131072, keyValueHeads: 8 });
  return {
    ...common,
    window: config.sizeOrNone('sliding_window', 4096),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context }),
  };
}
