// The keys of a GPT-Neo config.json that change what the model computes (GPTNeoConfig in transformers).
import type { Heads } from '@transept/layers';
import type { Activation } from '@transept/tensor';
import type { ConfigReader } from '../config.ts';
import { readHeads, refuseOthers } from '../decoder/config.ts';

export interface GptNeoConfig extends Heads {
  readonly width: number; // C
  readonly hidden: number; // F
  readonly layers: number;
  readonly vocabSize: number;
  readonly maxPositions: number;
  readonly eps: number;
  readonly activation: Activation;
  readonly tied: boolean;
  /** How far each layer sees. */
  readonly windows: readonly (number | undefined)[];
}

export function gptNeoConfig(config: ConfigReader): GptNeoConfig {
  refuseOthers(config);
  const width = config.size('hidden_size', 2048);
  const layers = config.size(config.first('num_layers', 'num_hidden_layers'), 24);
  const window = config.size('window_size', 256);
  const types = attentionTypes(config, layers);
  if (types.length !== layers) config.fail('attention_types', `it is for ${types.length} layers`, `${layers} layers`);
  return {
    width,
    ...readHeads(config, { width, heads: config.first('num_heads', 'num_attention_heads') }),
    hidden: config.sizeOrNone('intermediate_size') ?? 4 * width,
    layers,
    vocabSize: config.size('vocab_size', 50257),
    maxPositions: config.size('max_position_embeddings', 2048),
    eps: config.number('layer_norm_epsilon', 1e-5),
    activation: config.activation('activation_function', 'gelu_new'),
    tied: config.flag('tie_word_embeddings', true),
    windows: types.map((type) => (type === 'local' ? window : undefined)),
  };
}

/** `attention_types` is a list of [types, how often]; of more than there are layers only one more is given. */
function attentionTypes(config: ConfigReader, layers: number): readonly string[] {
  const runs = config.has('attention_types') ? config.list('attention_types') : [[['global', 'local'], 12]];
  const all: string[] = [];
  for (const run of runs) {
    const [types, times] = Array.isArray(run) ? (run as unknown[]) : [];
    const known = Array.isArray(types) && types.every((type) => type === 'global' || type === 'local');
    if (!known || !Number.isSafeInteger(times) || (times as number) < 0)
      config.fail('attention_types', `it has ${JSON.stringify(run).slice(0, 60)}`, '[["global" or "local", …], times]');
    for (let i = 0; i < (times as number) && types.length > 0 && all.length <= layers; i++)
      all.push(...(types as string[]));
  }
  return all;
}
