// Beam search as transformers 5 does it, on the host. The model is outside: `step` takes the logits of every beam and their log Σ exp,
// which a device finds sooner; it says which token each beam goes on with, and from which beam it descends. Scores are added up in
// double precision.
//
// Letters: B prompts, n beams, V vocabulary. Beam `i` of prompt `b` is row `b·n + i`.
import { OptionError, type Lengths, type ResolvedOptions } from './options.ts';
import { applyChain, planGreedy, type Chain, type GreedyPlan } from './processors/chain.ts';
import { BestK } from './select.ts';

/** Stands for "never": beams that do not exist yet, sequences that may not go on, hypotheses that are not there. */
const NEVER = -1e9;

export interface BeamOptions {
  readonly options: ResolvedOptions;
  readonly lengths: Lengths;
  /** Applied to the log-probabilities of every beam. */
  readonly chain: Chain;
  /** Uniform numbers in (0, 1), needed with `doSample`: candidates are drawn without replacement. */
  readonly random?: () => number;
}

/** What a model says of every beam. */
export interface BeamLogits {
  /** [B·n, V]; a search may change them. */
  readonly logits: Float32Array;
  /** log Σ exp of each row: [B·n]. */
  readonly norms: Float32Array | Float64Array;
}

export interface BeamStep {
  /** The next token of every row. */
  readonly tokens: Int32Array;
  /** The row that every row descends from: its caches are those of that row. */
  readonly sources: Int32Array;
  /** Nothing can get better: `result` has the outcome, and `tokens` need not be computed. */
  readonly done: boolean;
}

export interface BeamResult {
  /** The best sequences of each prompt, best first: `numReturnSequences` rows a prompt, filled up to equal lengths. */
  readonly sequences: number[][];
  /** Tokens of each sequence without what it was filled up with. */
  readonly lengths: number[];
  /** Sum of log-probabilities divided by generated length to the power of `lengthPenalty`. */
  readonly scores: number[];
  /** For each generated token the row of the step before that it extended; -1 after the end. */
  readonly beamIndices: number[][];
}

/** A sequence: its tokens with the prompt, and the row that each generated token extended. */
interface Path {
  readonly ids: readonly number[];
  readonly rows: readonly number[];
  readonly score: number;
}

interface Hypothesis extends Path {
  readonly ended: boolean;
}

/** One token added to one beam; `score` is the sum of log-probabilities. */
interface Candidate {
  readonly beam: number;
  readonly token: number;
  readonly score: number;
  readonly ended: boolean;
}

/** One prompt's beams. */
interface Search {
  running: readonly Path[];
  /** The n best ended sequences. Places that are still free hold one that did not end and scores about NEVER. */
  hypotheses: readonly Hypothesis[];
  /** Could a running beam become better than a stored hypothesis? Once false it stays so. */
  improvable: boolean;
}

export class BeamSearch {
  readonly #options: ResolvedOptions;
  readonly #lengths: Lengths;
  readonly #chain: Chain;
  /** What the chain bans and forces, where it does nothing else and nothing is drawn. */
  readonly #plan: GreedyPlan | undefined;
  readonly #random: (() => number) | undefined;
  readonly #searches: readonly Search[];
  readonly #tokens: Int32Array;
  readonly #sources: Int32Array;
  /** The scores of one row, [V]. */
  #scores = new Float64Array(0);
  #best = new BestK(0);
  /** With sampling the candidates are ordered by what was drawn; this keeps their scores, [n · V]. */
  #drawn = new Float64Array(0);
  /** Tokens every running sequence has, the prompt counted. */
  #length: number;
  #done = false;

  /** `prompts` are the ids that each sequence begins with, padded to one length. */
  constructor(prompts: readonly ArrayLike<number>[], { options, lengths, chain, random }: BeamOptions) {
    const n = options.numBeams;
    if (options.doSample && !random)
      throw new OptionError('beamSearch: doSample needs random numbers: none; pass random');
    this.#options = options;
    this.#lengths = lengths;
    this.#chain = chain;
    this.#plan = !options.doSample && chain.every(({ bans, forces }) => bans ?? forces) ? planGreedy(chain) : undefined;
    this.#random = options.doSample ? random : undefined;
    this.#length = lengths.promptLength;
    this.#tokens = new Int32Array(prompts.length * n);
    this.#sources = new Int32Array(prompts.length * n);
    this.#searches = prompts.map((prompt) => {
      const start = { ids: Array.from(prompt), rows: [] };
      return {
        // Only the first beam counts at the start; otherwise all would find the same.
        running: Array.from({ length: n }, (_, i) => ({ ...start, score: i === 0 ? 0 : NEVER })),
        hypotheses: Array.from({ length: n }, () => ({ ...start, score: NEVER, ended: false })),
        improvable: true,
      };
    });
  }

  /** Take one step. What is returned is valid until the next one. Throws a RangeError for logits that are not numbers. */
  step(given: BeamLogits): BeamStep {
    if (this.#done) throw new RangeError('beamSearch: the search is over; read its result');
    this.#prepare(given.logits.length / this.#tokens.length);
    let allEnded = true;
    this.#searches.forEach((search, b) => {
      const candidates = this.#candidates(search, b, given);
      search.hypotheses = this.#store(search, candidates, b);
      search.running = this.#goOn(search, candidates, b);
      allEnded &&= candidates.every(({ ended }) => ended);
    });
    this.#length++;
    for (const search of this.#searches) search.improvable &&= this.#canImprove(search);
    const { earlyStopping } = this.#options;
    this.#done =
      allEnded ||
      !this.#searches.some(({ improvable }) => improvable) ||
      (earlyStopping === true && this.#searches.every(isFull));
    return { tokens: this.#tokens, sources: this.#sources, done: this.#done };
  }

  /** The best hypotheses so far; final once a step was `done`. */
  result(): BeamResult {
    const { numReturnSequences, padTokenId, eosTokenId } = this.#options;
    const best = this.#searches.flatMap(({ hypotheses }) => hypotheses.slice(0, numReturnSequences));
    const generated = Math.max(0, ...best.map(({ rows }) => rows.length));
    // transformers tests the truth of the pad id, so 0 counts as unset.
    const fill = eosTokenId.length ? padTokenId || eosTokenId[0]! : -1;
    const filled = (list: readonly number[], length: number, value: number): number[] => [
      ...list,
      ...new Array<number>(length - list.length).fill(value),
    ];
    return {
      sequences: best.map(({ ids }) => filled(ids, this.#lengths.promptLength + generated, fill)),
      lengths: best.map(({ ids }) => ids.length),
      scores: best.map(({ score }) => score),
      beamIndices: best.map(({ rows }) => filled(rows, generated, -1)),
    };
  }

  /** Take the memory that a vocabulary of V tokens needs, at the first step. */
  #prepare(V: number): void {
    if (this.#scores.length === V) return;
    if (!Number.isInteger(V) || this.#scores.length > 0)
      throw new RangeError(
        `beamSearch: ${V} logits for each beam; expected ${this.#scores.length || 'a whole number'}`,
      );
    const { numBeams: n, eosTokenId } = this.#options;
    this.#scores = new Float64Array(V);
    this.#drawn = new Float64Array(this.#random ? n * V : 0);
    // Enough that n are left to go on with, however many of the best end.
    this.#best = new BestK(Math.min(Math.max(2, 1 + eosTokenId.length) * n, n * V));
  }

  /** The best continuations of one prompt over all its beams, best first. */
  #candidates({ running }: Search, b: number, { logits, norms }: BeamLogits): Candidate[] {
    const V = this.#scores.length;
    const scores = this.#scores;
    const best = this.#best;
    const random = this.#random;
    const banned = this.#banned();
    best.clear();
    running.forEach(({ ids, score }, beam) => {
      const row = b * running.length + beam;
      const norm = norms[row]!;
      // A device that takes NaN for impossible makes infinity of it.
      if (!Number.isFinite(norm))
        throw new RangeError(`beamSearch: the logits of row ${row} hold NaN or infinity; expected numbers`);
      const own = logits.subarray(row * V, (row + 1) * V);
      if (banned) {
        for (const token of banned) own[token] = -Infinity;
        best.pushAll(own, score - norm, beam * V);
        return;
      }
      for (let v = 0; v < V; v++) scores[v] = own[v]! - norm;
      applyChain(this.#chain, scores, { ids, prompt: b });
      if (random) this.#drawFrom(scores, score, beam * V, random);
      else best.pushAll(scores, score, beam * V);
    });
    best.sort();
    const { eosTokenId } = this.#options;
    const last = this.#length + 1 >= this.#lengths.maxLength;
    return Array.from({ length: best.size }, (_, rank) => {
      const index = best.index(rank);
      const token = index % V;
      const score = random ? this.#drawn[index]! : best.score(rank);
      return { beam: Math.floor(index / V), token, score, ended: last || eosTokenId.includes(token) };
    });
  }

  /** The tokens that may not come next, where that is all that the chain says of them and none is drawn. */
  #banned(): readonly number[] | undefined {
    const plan = this.#plan;
    return plan?.forcedAt(this.#length) === undefined ? plan?.bannedAt(this.#length) : undefined;
  }

  /** The k largest of log p + Gumbel noise are k draws without replacement. Kool et al. 2019 */
  #drawFrom(scores: Float64Array, score: number, first: number, random: () => number): void {
    for (let v = 0; v < scores.length; v++) {
      const sum = scores[v]! + score;
      this.#drawn[first + v] = sum;
      this.#best.push(sum - Math.log(-Math.log(random())), first + v);
    }
  }

  /** The hypotheses after this step: of the first n candidates, those that ended compete with the stored ones. */
  #store(search: Search, candidates: readonly Candidate[], b: number): Hypothesis[] {
    const { numBeams: n, lengthPenalty, earlyStopping } = this.#options;
    const norm = (this.#length + 1 - this.#lengths.promptLength) ** lengthPenalty;
    const closed = (earlyStopping === true && isFull(search) ? NEVER : 0) + (search.improvable ? 0 : NEVER);
    const offers = candidates.map((candidate, rank) => {
      const ended = candidate.ended && rank < n;
      return { candidate, ended, score: candidate.score / norm + closed + (ended ? 0 : NEVER) };
    });
    // Sorting is stable: of equal scores the stored ones, then the better candidates stay.
    return [...search.hypotheses, ...offers]
      .sort((x, y) => descending(x.score, y.score))
      .slice(0, n)
      .map((entry) =>
        'candidate' in entry
          ? { ...this.#extended(search, entry.candidate, b), score: entry.score, ended: entry.ended }
          : entry,
      );
  }

  /** The n best candidates that did not end become the beams. */
  #goOn(search: Search, candidates: readonly Candidate[], b: number): Path[] {
    const n = this.#options.numBeams;
    return candidates
      .map((candidate) => ({ candidate, score: candidate.score + (candidate.ended ? NEVER : 0) }))
      .sort((x, y) => descending(x.score, y.score))
      .slice(0, n)
      .map(({ candidate, score }, beam) => {
        this.#tokens[b * n + beam] = candidate.token;
        this.#sources[b * n + beam] = b * n + candidate.beam;
        return { ...this.#extended(search, candidate, b), score };
      });
  }

  #extended({ running }: Search, { beam, token }: Candidate, b: number): Omit<Path, 'score'> {
    const { ids, rows } = running[beam]!;
    return { ids: [...ids, token], rows: [...rows, b * this.#options.numBeams + beam] };
  }

  #canImprove({ running, hypotheses }: Search): boolean {
    const { earlyStopping, lengthPenalty } = this.#options;
    const { promptLength, maxLength } = this.#lengths;
    const length = earlyStopping === 'never' && lengthPenalty > 0 ? maxLength : this.#length;
    const possible = running[0]!.score / (length - promptLength) ** lengthPenalty;
    const worst = Math.min(...hypotheses.map(({ score }) => score));
    return hypotheses.some(({ ended }) => possible > (ended ? worst : NEVER));
  }
}

const isFull = ({ hypotheses }: Search): boolean => hypotheses.every(({ ended }) => ended);

/** Order for `sort`. Equal infinities do not give NaN. */
const descending = (x: number, y: number): number => (x === y ? 0 : y - x);
