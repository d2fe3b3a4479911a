// The case table, in an order that meets the cause of a failure before its consequences.
import type { Case } from '../case.ts';
import { randomCases } from '../generate/cases.ts';
import { randomGraphs } from '../generate/graphs.ts';
import { argmaxCases } from './argmax.ts';
import { attentionCases } from './attention.ts';
import { copyCases } from './copy.ts';
import { crossEntropyCases } from './cross-entropy.ts';
import { epilogueCases } from './epilogue.ts';
import { gatherCases } from './gather.ts';
import { matmulCases } from './matmul.ts';
import { neighbourCases } from './neighbours.ts';
import { normCases } from './norm.ts';
import { pointwiseCases } from './pointwise.ts';
import { programCases } from './program/index.ts';
import { reduceCases } from './reduce.ts';
import { ropeCases } from './rope.ts';
import { scatterCases } from './scatter.ts';
import { softmaxCases } from './softmax.ts';
import { storedCases } from './stored.ts';

/** All cases of the suite; the seed decides on those made at random. */
export const cases = (seed: number): readonly Case[] => [
  ...copyCases,
  ...pointwiseCases,
  ...reduceCases,
  ...matmulCases,
  ...gatherCases,
  ...scatterCases,
  ...softmaxCases,
  ...normCases,
  ...ropeCases,
  ...attentionCases,
  ...argmaxCases,
  ...crossEntropyCases,
  ...epilogueCases,
  ...neighbourCases,
  ...storedCases,
  ...randomCases(seed),
  ...randomGraphs(seed),
  ...programCases,
];
