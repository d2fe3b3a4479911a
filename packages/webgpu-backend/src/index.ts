export { webgpu } from './backend.ts';
export type { WebGpuOptions } from './device.ts';
export type { Binding, Dispatch, Step, Target } from './step.ts';
export { chromeTrace, formatProfile, profile, showInDevTools } from './profile.ts';
export type { DispatchTime, ProfileOptions, SpanOptions } from './profile.ts';
