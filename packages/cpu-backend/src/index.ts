export { cpu } from './backend.ts';
export type { CpuOptions } from './backend.ts';
export type { LoadedProgram } from './program.ts';
