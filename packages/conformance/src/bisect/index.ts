export { asLowered } from './as-lowered.ts';
export { bisect } from './bisect.ts';
export type { BisectInputs, BisectOptions, OperationReport } from './bisect.ts';
export type { ElementReport } from './judge.ts';
