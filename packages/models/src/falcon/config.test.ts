import { expect, test } from 'vitest';
import { ConfigReader } from '../config.ts';
import { falconConfig } from './config.ts';

test('linear biases are added once, but twice as the plain attention of transformers 5 does', () => {
  const count = (more: Readonly<Record<string, string>>): number =>
    falconConfig(new ConfigReader({ hidden_size: 24, num_attention_heads: 6, alibi: true, ...more }, 'config.json'))
      .biasCount;
  expect(count({})).toBe(1);
  expect(count({ transformers_version: '5.23.0' })).toBe(1);
  expect(count({ transformers_version: '5.23.0', attn_implementation: 'sdpa' })).toBe(1);
  expect(count({ transformers_version: '5.23.0', attn_implementation: 'eager' })).toBe(2);
  expect(count({ transformers_version: '4.27.4', attn_implementation: 'eager' })).toBe(1);
});
