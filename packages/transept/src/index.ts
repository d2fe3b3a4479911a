export * from './agreement.ts';
export * from './audio/index.ts';
export * from './embed.ts';
export * from './image/index.ts';
export { load, type LoadOptions, type TextModel } from './load.ts';
export type { SentenceConfig } from './sentence-config.ts';
export * from './tasks/index.ts';
export * from './text.ts';
export * from './verify/verify.ts';
