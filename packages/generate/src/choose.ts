// The next token of every row, chosen on the host: the logits go through the processors, then the best is taken or one is drawn.
import type { ResolvedOptions } from './options.ts';
import { applyChain } from './processors/chain.ts';
import type { Chain } from './processors/chain.ts';
import { argmax, draw, randomSeed, uniform } from './sampling.ts';

export class TokenChooser {
  readonly #chain: Chain;
  readonly #rows: readonly number[][];
  readonly #copies: number;
  readonly #seed: number | undefined;
  #scores = new Float64Array(0);
  /** Tokens chosen for each row: how far a prompt was padded must not matter. */
  #chosen = 0;

  /** `prompts` are what the rows begin with, `numReturnSequences` rows for each prompt. */
  constructor(
    prompts: readonly ArrayLike<number>[],
    chain: Chain,
    { doSample, seed, numReturnSequences }: ResolvedOptions,
  ) {
    this.#chain = chain;
    this.#rows = prompts.map((p) => Array.from(p));
    this.#copies = numReturnSequences;
    this.#seed = doSample ? (seed ?? randomSeed()) : undefined;
  }

  /** logits [rows, V] → one token a row. `keep` gets the scores that the choice was made from, [rows, V]. */
  next(logits: Float32Array, keep?: Float32Array): Int32Array {
    const vocabSize = logits.length / this.#rows.length;
    const position = this.#chosen++;
    if (this.#scores.length !== vocabSize) this.#scores = new Float64Array(vocabSize);
    return Int32Array.from(this.#rows, (ids, r) => {
      const scores = this.#scores;
      scores.set(logits.subarray(r * vocabSize, (r + 1) * vocabSize));
      applyChain(this.#chain, scores, { ids, prompt: Math.floor(r / this.#copies) });
      keep?.set(scores, r * vocabSize);
      const token = this.#seed === undefined ? argmax(scores) : draw(scores, uniform(this.#seed, r, position));
      ids.push(token);
      return token;
    });
  }
}
