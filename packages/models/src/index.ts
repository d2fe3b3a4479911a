export { ConfigError, ConfigReader } from './config.ts';
export type { Json } from './config.ts';
export { sourceIds } from './family.ts';
export type * from './family.ts';
export { createModel, modelTypes, registerModel } from './registry.ts';
export { loadModel } from './load.ts';
export { parametersOf } from './loading/parameters.ts';
export type { WeightType } from './loading/storage.ts';
export type { LoadedModel, LoadModelOptions, LoadProgress } from './load.ts';
