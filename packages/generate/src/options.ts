// The options of generation: names, meaning and neutral values. They mean what they mean in Hugging Face transformers, in
// camelCase; `resolveOptions` also takes its own spelling (`max_new_tokens`).

/**
 * What a call may ask for. Everything is optional: a value given here wins over generation_config.json, which wins over the
 * default. `null` means unset, also where generation_config.json sets something.
 */
export interface GenerationOptions {
  /** Most tokens to generate, the prompt (or the decoder start token) not counted. Wins over `maxLength`. */
  readonly maxNewTokens?: number | null;
  /** Longest sequence, the prompt counted. Default: 20 tokens more than the prompt. */
  readonly maxLength?: number | null;
  /** Ends are forbidden before the sequence, prompt counted, has this many tokens. */
  readonly minLength?: number | null;
  /** Ends are forbidden before this many tokens were generated. */
  readonly minNewTokens?: number | null;

  /** Beams of beam search; 1 is greedy search, or sampling with `doSample`. Default 1. */
  readonly numBeams?: number | null;
  /** Draw from the distribution instead of taking the best token. Default false. */
  readonly doSample?: boolean | null;
  /** Sequences returned for each prompt: at most `numBeams`, or any number with `doSample`. Default 1. */
  readonly numReturnSequences?: number | null;
  /**
   * When beam search stops: `true` once every prompt has `numBeams` ended sequences, `false` when an estimate says that no better
   * one will come, `'never'` only when none can. Default false.
   */
  readonly earlyStopping?: boolean | 'never' | null;
  /** Scores of beams are divided by length to this power: above 0 favours long ones. Default 1. */
  readonly lengthPenalty?: number | null;

  /** Divides the scores before sampling. Default 1. */
  readonly temperature?: number | null;
  /** Sample among the k best tokens; 0 for all. Default 50. */
  readonly topK?: number | null;
  /** Sample among the best tokens that together reach this probability. Default 1. */
  readonly topP?: number | null;
  /** Sample among tokens with at least this share of the best one's probability. */
  readonly minP?: number | null;
  /** Sample among the best tokens up to this share of the entropy of the 100 best. */
  readonly topH?: number | null;
  /** Sample among the tokens whose information is nearest to the entropy, up to this probability. Default 1. */
  readonly typicalP?: number | null;
  /** Sample among tokens with at least this probability. Default 0. */
  readonly epsilonCutoff?: number | null;
  /** Like `epsilonCutoff`, lower where the entropy is high. Default 0. */
  readonly etaCutoff?: number | null;
  /** Makes sampling repeatable. Default: another one in every call. */
  readonly seed?: number | null;

  /** Above 1 makes tokens that are already there less likely. Default 1. */
  readonly repetitionPenalty?: number | null;
  /** Above 1 makes tokens of the source more likely. Default 1. */
  readonly encoderRepetitionPenalty?: number | null;
  /** No run of so many tokens may come twice; 0 for off. */
  readonly noRepeatNgramSize?: number | null;
  /** No run of so many tokens may come from the source; 0 for off. */
  readonly encoderNoRepeatNgramSize?: number | null;
  /** Token sequences that may not appear. */
  readonly badWordsIds?: readonly (readonly number[])[] | null;
  /** Added to the score of the last token of a sequence when its other tokens are there: pairs of sequence and bias. */
  readonly sequenceBias?: readonly (readonly [sequence: readonly number[], bias: number])[] | null;
  /** Tokens that may not appear. */
  readonly suppressTokens?: readonly number[] | null;
  /** Tokens that may not come first. */
  readonly beginSuppressTokens?: readonly number[] | null;
  /** The first token after the decoder start token. */
  readonly forcedBosTokenId?: number | null;
  /** The token, or one of the tokens, at the maximum length. */
  readonly forcedEosTokenId?: number | readonly number[] | null;
  /** `[start, factor]`: from `start` generated tokens on the end becomes likelier by this factor with every token. */
  readonly exponentialDecayLengthPenalty?: readonly [start: number, factor: number] | null;
  /** Turn scores into log-probabilities again after all of the above. Default false. */
  readonly renormalizeLogits?: boolean | null;
  /** Replace scores that are NaN by 0 and infinite ones by the largest finite ones. Default false. */
  readonly removeInvalidValues?: boolean | null;

  /** The token, or the tokens, that end a sequence. */
  readonly eosTokenId?: number | readonly number[] | null;
  /** Fills shorter sequences. Default: the first end token. */
  readonly padTokenId?: number | null;
  readonly bosTokenId?: number | null;
  /** First token of the decoder of an encoder-decoder model. Default: `bosTokenId`. */
  readonly decoderStartTokenId?: number | null;
}

/** All options with their values; neutral ones do nothing. */
export interface ResolvedOptions {
  readonly maxNewTokens: number | undefined;
  readonly maxLength: number | undefined;
  readonly minLength: number;
  readonly minNewTokens: number;
  readonly numBeams: number;
  readonly doSample: boolean;
  readonly numReturnSequences: number;
  readonly earlyStopping: boolean | 'never';
  readonly lengthPenalty: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number | undefined;
  readonly topH: number | undefined;
  readonly typicalP: number;
  readonly epsilonCutoff: number;
  readonly etaCutoff: number;
  readonly seed: number | undefined;
  readonly repetitionPenalty: number;
  readonly encoderRepetitionPenalty: number;
  readonly noRepeatNgramSize: number;
  readonly encoderNoRepeatNgramSize: number;
  readonly badWordsIds: readonly (readonly number[])[];
  readonly sequenceBias: readonly (readonly [sequence: readonly number[], bias: number])[];
  readonly suppressTokens: readonly number[];
  readonly beginSuppressTokens: readonly number[];
  readonly forcedBosTokenId: number | undefined;
  /** Empty: none is forced. */
  readonly forcedEosTokenId: readonly number[];
  readonly exponentialDecayLengthPenalty: readonly [start: number, factor: number] | undefined;
  readonly renormalizeLogits: boolean;
  readonly removeInvalidValues: boolean;
  /** Empty: only the maximum length ends a sequence. */
  readonly eosTokenId: readonly number[];
  readonly padTokenId: number | undefined;
  readonly bosTokenId: number | undefined;
  readonly decoderStartTokenId: number | undefined;
}

/** Options that do not fit together or make no sense, or that are not supported. The message names the option. */
export class OptionError extends RangeError {
  override readonly name = 'OptionError';
}

/** How long sequences of one call may and must be, the prompt counted. */
export interface Lengths {
  readonly promptLength: number;
  readonly maxLength: number;
  readonly minLength: number;
}

/** The lengths that options mean for a prompt. `maxPositions` caps the default only; what is asked for explicitly stands. */
export function resolveLengths(
  { maxNewTokens, maxLength, minLength, minNewTokens }: ResolvedOptions,
  promptLength: number,
  { maxPositions = Infinity }: { readonly maxPositions?: number } = {},
): Lengths {
  const max =
    maxNewTokens !== undefined ? promptLength + maxNewTokens : (maxLength ?? Math.min(promptLength + 20, maxPositions));
  if (max <= promptLength)
    throw new OptionError(
      `generate: nothing can be generated: the prompt has ${promptLength} tokens and maxLength is ${max}; raise maxLength or set maxNewTokens`,
    );
  return { promptLength, maxLength: max, minLength: minNewTokens > 0 ? promptLength + minNewTokens : minLength };
}
