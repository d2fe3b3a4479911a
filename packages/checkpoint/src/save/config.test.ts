import { expect, test } from 'vitest';
import { configText } from './config.ts';

test('options that are fractions in transformers are written as such, at any depth, and nothing else is touched', () => {
  const config = {
    encoder_layerdrop: 0,
    attn_logit_softcapping: 50,
    initializer_range: 0.02,
    rms_norm_eps: 1e-7,
    hidden_size: 30,
    text: '\n  "init_std": 3',
    layer_types: [1, 2],
    text_config: { initializer_factor: -1, num_layers: 2 },
    final_logit_softcapping: null,
  };
  const text = configText(config);
  expect(JSON.parse(text)).toEqual(config);
  expect(text.match(/"\w+": -?\d+\.0(?=,?$)/gm)).toEqual([
    '"encoder_layerdrop": 0.0',
    '"attn_logit_softcapping": 50.0',
    '"initializer_factor": -1.0',
  ]);
});
