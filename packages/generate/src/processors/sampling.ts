// Which tokens sampling may draw: temperature, and filters that remove the unlikely ones. Each keeps at least `keep` tokens.
import { BestK } from '../select.ts';
import { softmax } from '../softmax.ts';
import type { Processor } from './processor.ts';

/** Divide all scores. */
export function temperature(value: number): Processor {
  return {
    name: 'temperature',
    keepsBest: true,
    apply(scores) {
      for (let i = 0; i < scores.length; i++) scores[i]! /= value;
    },
  };
}

/** The k best; ties with the last of them stay. Fan et al. 2018, https://arxiv.org/abs/1805.04833 */
export function topK(k: number, keep = 1): Processor {
  return { name: 'topK', apply: (scores) => removeBelow(scores, kthBest(scores, Math.max(k, keep))) };
}

/** The best until their probabilities sum up to p. Holtzman et al. 2019, https://arxiv.org/abs/1904.09751 */
export function topP(p: number, keep = 1): Processor {
  return {
    name: 'topP',
    apply(scores) {
      const ascending = scores.filter((score) => score > -Infinity).sort();
      if (ascending.length === 0) return;
      const max = ascending.at(-1)!;
      let sum = 0;
      for (const score of ascending) sum += Math.exp(score - max);
      // From the bottom, tokens go as long as all up to them have at most 1 - p.
      let below = 0;
      let cut = 0;
      for (const last = ascending.length - keep; cut < last; cut++) {
        below += Math.exp(ascending[cut]! - max) / sum;
        if (below > 1 - p) break;
      }
      // Among equal scores at the cut, those with the lower index go.
      const bound = ascending[cut]!;
      let equal = cut - ascending.indexOf(bound);
      for (let i = 0; i < scores.length; i++)
        if (scores[i]! < bound || (scores[i] === bound && equal-- > 0)) scores[i] = -Infinity;
    },
  };
}

/** Tokens with at least p times the probability of the best one. Nguyen et al. 2024, https://arxiv.org/abs/2407.01082 */
export function minP(p: number, keep = 1): Processor {
  const probabilities = scratch();
  return {
    name: 'minP',
    apply(scores) {
      const probability = softmax(scores, probabilities(scores.length));
      const best = bestOf(scores, keep);
      const bound = p * probability[best.index(0)]!;
      const kept = new Set(Array.from({ length: best.size }, (_, rank) => best.index(rank)));
      for (let i = 0; i < scores.length; i++) if (probability[i]! < bound && !kept.has(i)) scores[i] = -Infinity;
    },
  };
}

/** Of the 100 best, the first ones whose entropy is at most h times that of all 100. https://arxiv.org/abs/2509.02510 */
export function topH(h: number): Processor {
  return {
    name: 'topH',
    apply(scores) {
      const best = bestOf(scores, 100);
      let sum = 0;
      for (let rank = 0; rank < best.size; rank++) sum += Math.exp(best.score(rank) - best.score(0));
      const terms = Array.from({ length: best.size }, (_, rank) => {
        const logP = best.score(rank) - best.score(0) - Math.log(sum);
        return logP === -Infinity ? 0 : -Math.exp(logP) * logP;
      });
      const bound = h * terms.reduce((a, b) => a + b, 0);
      const kept: [index: number, score: number][] = [];
      let entropy = 0;
      for (let rank = 0; rank < best.size; rank++) {
        entropy += terms[rank]!;
        if (rank > 0 && (entropy > bound || best.score(rank) === -Infinity)) break;
        kept.push([best.index(rank), best.score(rank)]);
      }
      scores.fill(-Infinity);
      for (const [index, score] of kept) scores[index] = score;
    },
  };
}

/** Tokens whose information is nearest to the entropy, up to probability p. Meister et al. 2022, https://arxiv.org/abs/2202.00666 */
export function typicalP(p: number, keep = 1): Processor {
  const probabilities = scratch();
  const distances = scratch();
  return {
    name: 'typicalP',
    apply(scores) {
      const probability = softmax(scores, probabilities(scores.length));
      const entropy = entropyOf(probability);
      const distance = distances(scores.length);
      const order: number[] = [];
      for (let i = 0; i < scores.length; i++) {
        distance[i] = Math.abs(-Math.log(probability[i]!) - entropy);
        if (probability[i]! > 0) order.push(i);
      }
      if (order.length === 0) return;
      order.sort((a, b) => distance[a]! - distance[b]! || a - b);
      let sum = 0;
      let last = 0;
      for (; last < order.length - 1; last++) if ((sum += probability[order[last]!]!) >= p) break;
      const bound = distance[order[last]!]!;
      const kept = new Set(order.slice(0, keep));
      for (let i = 0; i < scores.length; i++) if (distance[i]! > bound && !kept.has(i)) scores[i] = -Infinity;
    },
  };
}

/** Tokens with at least this probability. Hewitt et al. 2022, https://arxiv.org/abs/2210.15191 */
export function epsilonCutoff(epsilon: number, keep = 1): Processor {
  return { name: 'epsilonCutoff', apply: cutoff(() => epsilon, keep) };
}

/** Like epsilonCutoff, with a bound that falls with the entropy. Hewitt et al. 2022 */
export function etaCutoff(epsilon: number, keep = 1): Processor {
  const bound = (probability: Float64Array): number =>
    Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropyOf(probability)));
  return { name: 'etaCutoff', apply: cutoff(bound, keep) };
}

function cutoff(boundOf: (probability: Float64Array) => number, keep: number): Processor['apply'] {
  const probabilities = scratch();
  return (scores) => {
    const probability = softmax(scores, probabilities(scores.length));
    const bound = boundOf(probability);
    const kept = kthBest(scores, keep);
    for (let i = 0; i < scores.length; i++) if (probability[i]! < bound && scores[i]! < kept) scores[i] = -Infinity;
  };
}

function entropyOf(probability: Float64Array): number {
  let entropy = 0;
  for (const p of probability) if (p > 0) entropy -= p * Math.log(p);
  return entropy;
}

function bestOf(scores: Float64Array, k: number): BestK {
  const best = new BestK(Math.min(k, scores.length));
  for (let i = 0; i < scores.length; i++) best.push(scores[i]!, i);
  best.sort();
  return best;
}

function kthBest(scores: Float64Array, k: number): number {
  const best = bestOf(scores, k);
  return best.score(best.size - 1);
}

function removeBelow(scores: Float64Array, bound: number): void {
  for (let i = 0; i < scores.length; i++) if (scores[i]! < bound) scores[i] = -Infinity;
}

/** Memory that is reused as long as its length stays the same. */
function scratch(): (length: number) => Float64Array {
  let memory = new Float64Array(0);
  return (length) => (memory.length === length ? memory : (memory = new Float64Array(length)));
}
