// The keys of a Mixtral config.json that change what the model computes (MixtralConfig in transformers).
import type { RotaryEmbedding } from '@transept/layers';
import type { ConfigReader } from '../config.ts';
import { commonConfig } from '../decoder/common.ts';
import type { CommonConfig } from '../decoder/common.ts';
import { readExperts } from '../decoder/config.ts';
import { rotaryConfig } from '../decoder/rotary-config.ts';
import type { Routing } from '../family.ts';

export interface MixtralConfig extends CommonConfig {
  readonly window: number | undefined;
  readonly rotary: RotaryEmbedding;
  readonly experts: number;
  /** How many experts work on a token. */
  readonly chosen: number;
  readonly routing: Routing;
}

export function mixtralConfig(config: ConfigReader): MixtralConfig {
  const common = commonConfig(config, 'mixtral', { context: 131072, eps: 1e-5, keyValueHeads: 8 });
  return {
    ...common,
    window: config.sizeOrNone('sliding_window'),
    rotary: rotaryConfig(config, { headSize: common.headSize, maxPositions: common.context, theta: 1000000 }),
    ...readExperts(config, { experts: 8, chosen: 2 }),
  };
}
