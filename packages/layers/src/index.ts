export * from './attention.ts';
export * from './embedding.ts';
export * from './feed-forward.ts';
export * from './linear.ts';
export * from './norm.ts';
export * from './positions.ts';
export * from './weights.ts';
