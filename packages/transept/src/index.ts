export * from './agreement.ts';
export * from './load.ts';
export * from './text.ts';
