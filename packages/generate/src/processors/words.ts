// Rules about given tokens and sequences of tokens: biases, bad words, suppressed tokens.
import { OptionError } from '../options.ts';
import { remove, type Processor } from './processor.ts';

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
  const tokens = banned.map((word) => word[0]!);
  return { name: 'badWordsIds', apply, bans: tokens };
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
export function suppressTokens(tokens: readonly number[]): Processor {
  return { name: 'suppressTokens', apply: (scores) => remove(scores, tokens), bans: tokens };
}

/** Tokens that do not come first, when the sequence has `length` tokens. */
export function beginSuppressTokens(tokens: readonly number[], length: number): Processor {
  const bans = (at: number): readonly number[] => (at === length ? tokens : []);
  const apply: Processor['apply'] = (scores, { ids }) => remove(scores, bans(ids.length));
  return { name: 'beginSuppressTokens', apply, bans, bansBelow: length + 1 };
}
