// The case table, in an order that meets the cause of a failure before its consequences.
import type { Case } from '../case.ts';
import { matmulCases } from './matmul.ts';
import { pointwiseCases } from './pointwise.ts';

/** All cases of the suite; the seed decides on those made at random. */
export const cases = (_seed: number): readonly Case[] => [...pointwiseCases, ...matmulCases];
