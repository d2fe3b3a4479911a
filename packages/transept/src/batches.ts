// Texts that go through a model together: those of similar length, so that little is padding.
import { OptionError } from '@transept/generate';

/** The places of texts with these numbers of tokens, in groups, the shortest first. Throws an OptionError for a wrong size. */
export function batches(lengths: readonly number[], size = 16): number[][] {
  if (!Number.isInteger(size) || size < 1)
    throw new OptionError(`transept: option batchSize is ${size}; it must be a whole number from 1 on`);
  const order = [...lengths.keys()].sort((a, b) => lengths[a]! - lengths[b]!);
  return Array.from({ length: Math.ceil(order.length / size) }, (_, g) => order.slice(g * size, (g + 1) * size));
}
