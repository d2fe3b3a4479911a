export { runConformance, casesFor } from './run.ts';
export type { ConformanceOptions, Mode } from './run.ts';
export { isOpCase, titleOf, Unsupported } from './case.ts';
export type { Case, CaseSource, Contents, OpCase, OutOfScope, ProgramCase, ProgramTools } from './case.ts';
export type { Failed, NotSupported, Passed, Result, Speed, Support, Symptom, Wrong } from './result.ts';
export { cycle, integers, numbered, uniform, wide } from './random.ts';
export type { Fill } from './random.ts';
