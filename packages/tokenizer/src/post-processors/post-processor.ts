// A post-processor puts special tokens around the text and its pair.
import type { Part } from '../encoding.ts';

export interface PostProcessor {
  /** How many tokens it adds. */
  added(pair: boolean): number;
  /** `parts` are the text and, if there is one, its pair. */
  process(parts: readonly Part[], addSpecialTokens: boolean): readonly Part[];
}
