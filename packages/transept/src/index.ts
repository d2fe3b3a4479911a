export * from './agreement.ts';
export { load, type LoadOptions, type TextModel } from './load.ts';
export * from './text.ts';
export * from './verify/verify.ts';
