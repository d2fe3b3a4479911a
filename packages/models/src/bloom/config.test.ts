import { expect, test } from 'vitest';
import { ConfigReader } from '../config.ts';
import { bloomConfig } from './config.ts';

test('products in slices, which lose their biases in transformers, are refused by name', () => {
  const read = (json: object): unknown => bloomConfig(new ConfigReader({ hidden_size: 24, n_head: 6, ...json }));
  expect(() => read({ slow_but_exact: true, pretraining_tp: 4 })).toThrow(/"slow_but_exact": true is not supported/);
  for (const json of [{ slow_but_exact: true }, { pretraining_tp: 4 }, { slow_but_exact: false, pretraining_tp: 4 }])
    expect(() => read(json)).not.toThrow();
});
