// The keys of a Phi-3 config.json that change what the model computes (Phi3Config in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';

export interface Phi3Config extends CommonConfig {
  readonly window: number | undefined;
  readonly rotary: RotaryEmbedding;
}

export function phi3Config(config: ConfigReader): Phi3Config {
  const common = commonConfig(config, 'phi3', { context: 4096, eps: 1e-5 });
  return {
    ...common,
    window: config.sizeOrNone('sliding_window'),
    rotary: rotaryConfig(config, {
      headSize: common.headSize,
      maxPositions: common.context,
      partial: 1,
      original: config.size('original_max_position_embeddings', 4096),
      aliases: { su: 'longrope', yarn: 'longrope' },
    }),
  };
}
