export { webgpu } from './backend.ts';
export type { WebGpuOptions } from './device.ts';
export type { Binding, Dispatch, Step } from './step.ts';
