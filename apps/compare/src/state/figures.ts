// What a column's translations come to.
import type { Translation } from '../protocol.ts';

export interface Figures {
  readonly sentences: number;
  readonly tokens: number;
  /** Milliseconds to the first token: of the very first sentence, and the median of the others. */
  readonly firstMs: number;
  readonly laterFirstMs: number | undefined;
  /** Over all sentences, first tokens included. */
  readonly tokensPerSecond: number;
  readonly kernelCalls: number;
}

/** Figures of translations in the order in which they were made, undefined without any. */
export function figuresOf(translations: readonly Translation[]): Figures | undefined {
  const [first, ...later] = translations;
  if (!first) return undefined;
  const tokensOf = ({ targetIds }: Translation): number => targetIds.length - 1;
  const tokens = sum(translations.map(tokensOf));
  const totalMs = sum(translations.map((t) => t.firstTokenMs + t.restMs));
  return {
    sentences: translations.length,
    tokens,
    firstMs: first.firstTokenMs,
    laterFirstMs: median(later.map((t) => t.firstTokenMs)),
    tokensPerSecond: (1000 * tokens) / totalMs,
    kernelCalls: Math.max(...translations.map((t) => t.kernelCalls)),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function median(numbers: readonly number[]): number | undefined {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]
    : sorted.length > 0
      ? (sorted[middle - 1]! + sorted[middle]!) / 2
      : undefined;
}
