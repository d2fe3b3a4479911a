export { featureOptions, soundFeatures } from './features.ts';
export type { FeatureOptions, Sound } from './features.ts';
export type { Segment } from './segments.ts';
export * from './transcribe.ts';
