// The backend interface: everything a device has to provide to run a compiled graph. A few methods move bytes and replay
// programs; six kernels, the primitives, do the work. Fused operations are optional: lowering keeps one where the backend
// has a kernel that does not decline it, and otherwise replaces it by its definition in primitives.
import type { DType } from './dtype.ts';
import type { Call, Plan } from './plan.ts';
import type { Storage } from './storage.ts';

/**
 * Operations every backend implements. `docs/operations.md` and the definitions in `reference/kernels.ts` are exact.
 *
 * - `pointwise`  inputs all of the output's shape; attrs `expr`
 * - `reduce`     attrs `fn` ('sum' | 'max' | 'min' | 'prod') and `axes`, the number of trailing axes that are reduced
 * - `matmul`     [..., M, K] × [..., K, N] → [..., M, N], leading axes equal (stride 0 where broadcast), f32 accumulation
 * - `gather`     table [V, ...rest] and indices [...I] (i32) → [...I, ...rest]; or without indices, attrs `start` (number
 *                or ScalarRef) and `count`: rows start … start+count-1. Indices are clamped to [0, V-1]
 * - `scatter`    updates [R, ...rest] and indices [R] (i32), or attrs `start`, written to rows of the output view in place;
 *                attrs `mode` 'set' | 'add'. Rows outside the output are dropped; equal indices: the last wins, or all add, in order
 * - `copy`       input and output of one shape and dtype
 */
export type Primitive = 'pointwise' | 'reduce' | 'matmul' | 'gather' | 'scatter' | 'copy';

/**
 * Operations a backend may implement to be fast. Each is defined in primitives in `fused/NAME.ts`, with shapes and attrs.
 */
export type Fused = (typeof fusedOps)[number];
export const fusedOps = [
  'softmax',
  'logSoftmax',
  'layerNorm',
  'rmsNorm',
  'rope',
  'attention',
  'argmax',
  'crossEntropy',
  'crossEntropyGradient',
] as const;

export type OpName = Primitive | Fused;
export const isFused = (op: OpName): op is Fused => (fusedOps as readonly OpName[]).includes(op);

/**
 * What arithmetic promises (docs/numerics.md). `ieee`: f32 as IEEE 754 has it, with NaN and infinities. `wgsl`: what the WGSL
 * specification asks of a GPU, which may take any number for a NaN or an infinity and count subnormal numbers as 0.
 */
export type Arithmetic = 'ieee' | 'wgsl';

/** What the device can do. Fixed when the backend is created, so a compiled program may rely on it. */
export interface Capabilities {
  /** Types that buffers may hold. f32 and i32 always. */
  readonly dtypes: ReadonlySet<DType>;
  /**
   * How weights may be stored besides as f32 (`storage.ts`): matmul then takes the rows of such a parameter as the columns of its
   * right operand, and gather takes them from its table. Default: none.
   */
  readonly weights?: ReadonlySet<Storage>;
  /** Largest single buffer, and largest part of it that one kernel can see. */
  readonly maxBufferBytes: number;
  readonly maxBindingBytes: number;
  /** Most bytes that buffers can have in all, where that is known. */
  readonly maxMemoryBytes?: number;
  /** Where there can be more: how much in all, and how to have it, as a sentence that ends messages about a lack of it. */
  readonly moreMemory?: { readonly bytes: number; readonly how: string };
  /** Most different buffers one kernel may take, its output included. Fusion stops before it. */
  readonly maxBindings: number;
  /** Temporaries start at multiples of this many bytes. */
  readonly alignment: number;
  /**
   * Where intermediate values live. `arena`: ranges of one buffer. `slots`: whole buffers, because one kernel may not
   * both read and write a buffer (WebGPU).
   */
  readonly memory: 'arena' | 'slots';
  /** Default: `ieee`. */
  readonly arithmetic?: Arithmetic;
  /**
   * `run` returns before anything is computed, so a host that knows what comes next gains by enqueueing it before it has read the
   * results of what runs. Default: false.
   */
  readonly queued?: boolean;
  /** What is worth knowing beyond the above, for people: adapter, SIMD level, threads … and what was declined and why. */
  readonly details: Readonly<Record<string, string | number | boolean>>;
}

/** A piece of device memory, zero-filled. Owned by whoever allocated it; using it after disposing throws. */
export interface Buffer extends Disposable {
  readonly bytes: number;
}

/** A kernel turns a call into something its backend can replay. `Step` is private to the backend. */
export interface Kernel<Step> {
  /**
   * Why this kernel cannot do a call, or undefined if it can. A declined fused call is decomposed, and the plan says so; what
   * a call with something joined to it is declined for stays apart.
   */
  declines?(call: Call, can: Capabilities): string | undefined;
  /** Evaluates `Call.epilogue`. Default: lowering joins none. */
  readonly epilogue?: boolean;
  /** Evaluates epilogues over halves of the result's columns (`Epilogue.halves`). Default: lowering joins none. */
  readonly halves?: boolean;
  /** Norms the rows of its first input (`Call.prologue`). Default: lowering joins none. */
  readonly prologue?: boolean;
  /** Writes parts of its output to other places too (`Call.stores`). Default: lowering joins none. */
  readonly stores?: boolean;
  /** Inputs must be contiguous; lowering inserts copies. Default: any strides. */
  readonly contiguous?: boolean;
  /** For people: which of its ways the kernel takes for a call, and how the work is shared out. */
  describe?(call: Call, plan: Plan, can: Capabilities): string;
  /** Build the step. Whatever can be decided, is decided here: a step only replays. */
  prepare(call: Call, plan: Plan, can: Capabilities): Step;
}

/** All primitives, any of the fused operations. Leaving out a primitive is a type error. */
export type Kernels<Step> = Readonly<Record<Primitive, Kernel<Step>> & Partial<Record<Fused, Kernel<Step>>>>;

/** A plan made ready for one device: pipelines compiled, bindings built, memory allocated. */
export interface Program extends Disposable {
  readonly plan: Plan;
  /** Kernels started by one run: dispatches on a GPU. */
  readonly dispatches: number;
  /**
   * Enqueue one run with the values of `Plan.scalars`. Does not wait and does not allocate. Runs happen in the order of
   * the calls; a later `read` sees their results.
   */
  run(scalars?: readonly number[]): void;
  /** A copy of a bound buffer planned with `readback`, as the latest run left it. */
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** Bytes of device memory in use now, and the most there ever was. Programs, packed weights and staging included. */
export interface MemoryUse {
  readonly bytes: number;
  readonly peak: number;
}

export interface LoadOptions {
  readonly signal?: AbortSignal;
  /** Called as what takes its time gets ready, such as the shaders of a GPU: how many of how many. */
  readonly onProgress?: (ready: number, total: number) => void;
}

export interface Backend<Step = unknown> extends Disposable {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly kernels: Kernels<Step>;
  readonly memory: MemoryUse;
  /** Resolves when the device is gone. Every later call throws `DeviceLostError`; pending reads reject with it. */
  readonly lost: Promise<Error>;

  /** Throws a BackendError when the memory cannot be had; nothing is taken then. */
  alloc(bytes: number): Buffer;
  /** Both `byteOffset` and the length of `data` are multiples of 4. */
  write(buffer: Buffer, data: ArrayBufferView, byteOffset?: number): void;
  read(buffer: Buffer, byteOffset?: number, bytes?: number): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Make a plan ready. `bound` has a buffer of at least the planned size for every bound buffer of the plan, by name;
   * the caller keeps owning them, and disposing one throws while a program uses it. A rejected load leaves nothing allocated.
   */
  load(plan: Plan, bound: Readonly<Record<string, Buffer>>, options?: LoadOptions): Promise<Program>;
}
