// Finds an adapter and makes a device: the browser's, or in Node that of the npm package `webgpu` (Dawn).
import { BackendError } from '@transept/tensor';
import type { Target } from './step.ts';

export interface WebGpuOptions {
  /** A device to share. It is used as it is and never destroyed. */
  readonly device?: GPUDevice;
  /** An adapter to make the device from. */
  readonly adapter?: GPUAdapter;
  /** Which GPU to take where there are several. Default: 'high-performance'. */
  readonly powerPreference?: GPUPowerPreference;
  /** Takes the kernels for another kind of device than the one there is; for tests and measurements. */
  readonly target?: Partial<Target>;
}

/** Limits that are asked for as high as the adapter goes. */
const raisedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

const usefulFeatures: readonly GPUFeatureName[] = ['subgroups', 'shader-f16', 'timestamp-query'];

/** Dawn's entry object dies with its last reference and takes the adapters along. */
let nodeGpu: GPU | undefined;

/** A device with all the limits and useful features that its adapter has. Throws a BackendError that says what was tried. */
export async function requestDevice(options: WebGpuOptions): Promise<{ device: GPUDevice; info: GPUAdapterInfo }> {
  const adapter = options.adapter ?? (await requestAdapter(options.powerPreference ?? 'high-performance'));
  const requiredLimits = Object.fromEntries(raisedLimits.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = usefulFeatures.filter((name) => adapter.features.has(name));
  try {
    const device = await adapter.requestDevice({ label: 'transept', requiredLimits, requiredFeatures });
    return { device, info: adapter.info };
  } catch (cause) {
    throw new BackendError(
      `webgpu: the adapter refused a device: ${adapter.info.description || adapter.info.vendor}: ${message(cause)}; pass a device of your own as webgpu({ device })`,
      { cause },
    );
  }
}

export async function requestAdapter(powerPreference: GPUPowerPreference): Promise<GPUAdapter> {
  const { gpu, origin } = await findGpu();
  const adapter =
    (await gpu.requestAdapter({ powerPreference })) ?? (await gpu.requestAdapter({ forceFallbackAdapter: true }));
  if (adapter) return adapter;
  throw new BackendError(
    `webgpu: no adapter: ${origin} offers none, neither ${powerPreference} nor fallback; what helps: a GPU driver (on Linux Vulkan, or SwiftShader named in VK_DRIVER_FILES and LD_LIBRARY_PATH), or another backend`,
  );
}

async function findGpu(): Promise<{ gpu: GPU; origin: string }> {
  const gpu = globalThis.navigator?.gpu;
  if (gpu) return { gpu, origin: 'navigator.gpu' };
  const inNode = typeof process !== 'undefined' && process.versions?.node !== undefined;
  if (!inNode)
    throw new BackendError(
      'webgpu: no navigator.gpu here: WebGPU needs a browser that has it and a secure page (https or localhost); another backend works everywhere',
    );
  nodeGpu ??= await importDawn();
  return { gpu: nodeGpu, origin: 'the npm package webgpu' };
}

async function importDawn(): Promise<GPU> {
  // Not a literal, so that bundlers for browsers leave it alone.
  const name = 'webgpu';
  try {
    const { create } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as typeof import('webgpu');
    return create([]);
  } catch (cause) {
    throw new BackendError(
      `webgpu: Node has no WebGPU of its own and the npm package webgpu did not load: ${message(cause)}; install it`,
      {
        cause,
      },
    );
  }
}

export const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
