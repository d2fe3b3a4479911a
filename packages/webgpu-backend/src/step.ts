// What a kernel makes of a call: dispatches that a program only replays. Everything static is baked into the shader.
import type { Kernel } from '@transept/tensor';

/** In place of an index into `Plan.buffers`: memory that the dispatches of one call hand on to each other, f32. */
export const scratch = -1;

/** A buffer as a shader binds it. Its position in `Dispatch.bindings` is its binding number. */
export interface Binding {
  /** Index into `Plan.buffers`, or `scratch`. */
  readonly buffer: number;
  readonly access: 'read' | 'read_write';
  /** The bytes that are bound, from a multiple of 256 on. Default: all. Of `scratch` it says how many there must be. */
  readonly range?: { readonly offset: number; readonly size: number };
}

/** One shader with its buffers and the number of workgroups to start. */
export interface Dispatch {
  readonly code: string;
  readonly bindings: readonly Binding[];
  /** Does it read the block of scalars? Then the block is the last binding. */
  readonly scalars: boolean;
  readonly workgroups: readonly [x: number, y: number, z: number];
}

/** The dispatches of one call, in order; none where the call has nothing to do. */
export type Step = readonly Dispatch[];

export type GpuKernel = Kernel<Step>;

/** What kernels may rely on beyond the limits that every WebGPU device has. */
export interface Target {
  /** Consecutive invocations that are sure to share a subgroup: a power of two, 1 without subgroups. */
  readonly subgroup: number;
  /** The "GPU" is a CPU: barriers cost a lot and parallel invocations gain little. */
  readonly software: boolean;
  /** Rows of queries that attention takes through the keys together, 1 to 4: more reads of keys saved, a larger shader. */
  readonly queries: number;
  /** Rows (at most) and columns, a multiple of 4, of a product that a team keeps in registers. */
  readonly tile: { readonly rows: number; readonly columns: number };
  /** Most bytes of a buffer that one binding may have; larger weights are read in parts. */
  readonly binding: number;
  /**
   * Where fewer workgroups than this would start, work is split along keys or along K, and a second dispatch puts the parts together:
   * 0 for never. A part has at least so many `keys`, or so many elements along `k`.
   */
  readonly split: { readonly workgroups: number; readonly keys: number; readonly k: number };
}
