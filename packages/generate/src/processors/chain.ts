// All processors that some options ask for, in the order of transformers; and what of them a device can do by itself.
import type { Lengths, ResolvedOptions } from '../options.ts';
import { logSoftmax } from '../softmax.ts';
import { exponentialDecay, forced, minLength } from './length.ts';
import { holds } from './processor.ts';
import type { Ban, Processor, Row } from './processor.ts';
import { encoderNoRepeatNgram, encoderRepetitionPenalty, noRepeatNgram, repetitionPenalty } from './repetition.ts';
import { epsilonCutoff, etaCutoff, minP, temperature, topH, topK, topP, typicalP } from './sampling.ts';
import { badWords, beginSuppressTokens, sequenceBias, suppressTokens } from './words.ts';

export interface ChainContext {
  readonly lengths: Lengths;
  /** Token ids of the sources of an encoder-decoder model, with their padding, one array for each prompt. */
  readonly sources?: readonly ArrayLike<number>[];
  /** Padded ids at the start of each prompt. Default: none. */
  readonly padding?: readonly number[];
  /** Rules of a family of models; they come after all others but those of sampling. */
  readonly rules?: readonly Processor[];
}

export type Chain = readonly Processor[];

/** The processors of one call. Empty when the scores stay as the model gave them. */
export function buildChain(options: ResolvedOptions, { lengths, sources, padding, rules = [] }: ChainContext): Chain {
  const { eosTokenId: eos, numBeams, doSample } = options;
  const { promptLength, maxLength } = lengths;
  const chain: Processor[] = [];
  const add = (wanted: unknown, make: () => Processor): void => {
    if (wanted) chain.push(make());
  };
  add(options.sequenceBias.length, () => sequenceBias(options.sequenceBias));
  if (sources) {
    const penalty = options.encoderRepetitionPenalty;
    add(penalty !== 1, () => encoderRepetitionPenalty(penalty, sources));
  }
  add(options.repetitionPenalty !== 1, () => repetitionPenalty(options.repetitionPenalty, padding));
  add(options.noRepeatNgramSize, () => noRepeatNgram(options.noRepeatNgramSize));
  if (sources) {
    const size = options.encoderNoRepeatNgramSize;
    add(size, () => encoderNoRepeatNgram(size, sources));
  }
  add(options.badWordsIds.length, () => badWords(options.badWordsIds, eos));
  add(eos.length && lengths.minLength > 0, () => minLength('minLength', lengths.minLength, eos));
  add(eos.length && options.minNewTokens > 0, () =>
    minLength('minNewTokens', promptLength + options.minNewTokens, eos),
  );
  add(options.forcedBosTokenId !== undefined, () => forced('forcedBosTokenId', [options.forcedBosTokenId!], 1));
  add(options.forcedEosTokenId.length, () => forced('forcedEosTokenId', options.forcedEosTokenId, maxLength - 1));
  add(options.removeInvalidValues, () => removeInvalidValues);
  if (options.exponentialDecayLengthPenalty) {
    const [start, factor] = options.exponentialDecayLengthPenalty;
    add(eos.length, () => exponentialDecay(promptLength + start, factor, eos));
  }
  add(options.suppressTokens.length, () => suppressTokens(options.suppressTokens));
  // With a forced first token the one after it is the first that is free.
  const begin = promptLength + (promptLength > 1 || options.forcedBosTokenId === undefined ? 0 : 1);
  add(options.beginSuppressTokens.length, () => beginSuppressTokens(options.beginSuppressTokens, begin));
  chain.push(...rules);
  if (doSample) {
    // Beams need a token besides the ends to go on with.
    const keep = numBeams > 1 ? (eos.length || 1) + 1 : 1;
    add(options.temperature !== 1, () => temperature(options.temperature));
    add(options.topH !== undefined, () => topH(options.topH!));
    add(options.topK, () => topK(options.topK, keep));
    add(options.topP < 1, () => topP(options.topP, keep));
    add(options.minP !== undefined, () => minP(options.minP!, keep));
    add(options.typicalP < 1, () => typicalP(options.typicalP, keep));
    add(options.epsilonCutoff > 0 && options.epsilonCutoff < 1, () => epsilonCutoff(options.epsilonCutoff, keep));
    add(options.etaCutoff > 0 && options.etaCutoff < 1, () => etaCutoff(options.etaCutoff, keep));
  }
  add(options.renormalizeLogits, () => renormalizeLogits);
  return chain;
}

/** Run a chain over the scores of one sequence, in place. */
export function applyChain(chain: Chain, scores: Float64Array, row: Row): void {
  for (const processor of chain) processor.apply(scores, row);
}

export const renormalizeLogits: Processor = { name: 'renormalizeLogits', keepsBest: true, apply: logSoftmax };

export const removeInvalidValues: Processor = {
  name: 'removeInvalidValues',
  apply(scores) {
    const max = 3.4028234663852886e38;
    for (let i = 0; i < scores.length; i++)
      scores[i] = Number.isNaN(scores[i]) ? 0 : Math.min(max, Math.max(-max, scores[i]!));
  },
};

/** What greedy search has to do besides taking the best token. */
export interface GreedyPlan {
  /** Tokens that do not come when a sequence has `length` tokens: a device can leave them out. The same list while nothing changes. */
  bannedAt(length: number): readonly number[];
  /** Are there any when a sequence has `length` tokens or more? */
  bansFrom(length: number): boolean;
  /** The token that comes whatever the scores are when a sequence has `length` tokens. */
  forcedAt(length: number): number | undefined;
  /** The chain does more than that: scores have to be read and the whole chain applied. */
  readonly needsHost: boolean;
}

/** Sort a chain into what a device can do and what needs the scores on the host. */
export function planGreedy(chain: Chain): GreedyPlan {
  const bansOf = (processors: Chain): Ban[] => processors.flatMap(({ bans }) => bans ?? []);
  const bannedBy = (bans: readonly Ban[], length: number): Set<number> =>
    new Set(bans.flatMap((ban) => (holds(ban, length) ? ban.tokens : [])));
  const all = bansOf(chain);
  const changes = new Set([0, ...all.flatMap(({ from, below }) => [from, below])]);
  const stretches = [...changes]
    .sort((a, b) => a - b)
    .map((from) => ({ from, tokens: [...bannedBy(all, from)].sort((a, b) => a - b) }));
  return {
    bannedAt(length) {
      let at = stretches.length - 1;
      while (at > 0 && stretches[at]!.from > length) at--;
      return stretches[at]!.tokens;
    },
    bansFrom: (length) => all.some(({ tokens, below }) => tokens.length > 0 && length < below),
    forcedAt(length) {
      const at = chain.findLastIndex(({ forces }) => forces?.(length));
      if (at < 0) return undefined;
      const gone = bannedBy(bansOf(chain.slice(at + 1)), length);
      const left = chain[at]!.forces!(length)!.filter((token) => !gone.has(token));
      // Of equal scores the lowest token is best; where none is left, all scores are -Infinity, and token 0 is.
      return left.length ? left.reduce((lowest, token) => Math.min(lowest, token)) : 0;
    },
    needsHost: chain.some(({ bans, forces, keepsBest }) => !bans && !forces && !keepsBest),
  };
}
