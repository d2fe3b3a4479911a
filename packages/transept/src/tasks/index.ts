export * from './answer.ts';
export { classify } from './classify.ts';
export type { Label } from './classify.ts';
export * from './fill-mask.ts';
export type { TaskOptions } from './run.ts';
export * from './token-classify.ts';
