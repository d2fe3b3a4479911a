// What concerns programs and memory as a whole.
import type { ProgramCase } from '../../case.ts';
import { disposalCases } from './disposal.ts';
import { memoryCases } from './memory.ts';
import { runsCases } from './runs.ts';
import { sharingCases } from './sharing.ts';

export const programCases: readonly ProgramCase[] = [...memoryCases, ...runsCases, ...sharingCases, ...disposalCases];
