export { ConfigError, ConfigReader } from './config.ts';
export type { Json } from './config.ts';
export { sourceIds } from './family.ts';
export type * from './family.ts';
export { createModel, modelTypes, registerModel } from './registry.ts';
export { loadModel, parametersOf } from './load.ts';
export type { LoadedModel, LoadModelOptions, LoadProgress } from './load.ts';
