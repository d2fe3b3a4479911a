// Rules about given tokens and sequences of tokens: biases, bad words, suppressed tokens.
import { OptionError } from '../options.ts';
import { banning, type Processor } from './processor.ts';

type Bias = readonly [sequence: readonly number[], bias: number];

/** The last token of a sequence gets the bias when the tokens before it are the latest ones. */
export function sequenceBias(biases: readonly Bias[]): Processor {
  return { name: 'sequenceBias', apply: applyBiases('sequenceBias', biases) };
}

/** Sequences that may not be completed. End tokens by themselves are not banned. */
export function badWords(words: readonly (readonly number[])[], eos: readonly number[]): Processor {
  const banned = words.filter((word) => !(word.length === 1 && eos.includes(word[0]!)));
  const apply = applyBiases(
    'badWordsIds',
    banned.map((word) => [word, -Infinity]),
  );
  if (banned.some((word) => word.length > 1)) return { name: 'badWordsIds', apply };
  return { name: 'badWordsIds', apply, bans: { tokens: banned.map((word) => word[0]!), from: 0, below: Infinity } };
}

function applyBiases(option: string, biases: readonly Bias[]): Processor['apply'] {
  // As in a Python dictionary, the last of equal sequences counts.
  const distinct = [...new Map(biases.map((bias) => [bias[0].join(), bias])).values()];
  return (scores, { ids }) => {
    for (const [sequence, bias] of distinct) {
      const outside = sequence.find((token) => token >= scores.length);
      if (outside !== undefined)
        throw new OptionError(
          `generate: option ${option} names token ${outside}; the vocabulary has ${scores.length} tokens`,
        );
      const prefix = sequence.length - 1;
      const from = ids.length - prefix;
      if (from < 0) continue;
      let i = 0;
      while (i < prefix && ids[from + i] === sequence[i]) i++;
      if (i === prefix) scores[sequence[prefix]!]! += bias;
    }
  };
}

/** Tokens that never come. */
export const suppressTokens = (tokens: readonly number[]): Processor => banning('suppressTokens', tokens);

/** Tokens that do not come first, when the sequence has `length` tokens. */
export const beginSuppressTokens = (tokens: readonly number[], length: number): Processor =>
  banning('beginSuppressTokens', tokens, { from: length, below: length + 1 });
