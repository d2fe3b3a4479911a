// Compiled shaders of one device, by their source: equal kernels of any plan share a pipeline.
import { BackendError } from '@transept/tensor';
import { computeStage } from './constants.ts';
import { message } from './device.ts';
import type { Dispatch } from './step.ts';

/** Most pipelines that compile at the same time. */
const atOnce = 8;

/** Pipelines kept for programs to come, the latest used. Those that live hold their own. */
export const pipelinesKept = 512;

export class Pipelines {
  readonly #device: GPUDevice;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #layouts = new Map<string, { bindings: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();
  readonly #waiting: (() => void)[] = [];
  #compiling = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The layout of a dispatch's bind group: its buffers in order, then the scalars. */
  layout(dispatch: Dispatch): GPUBindGroupLayout {
    return this.#layout(dispatch).bindings;
  }

  /** `what` names the call in errors. A source that failed is tried again the next time. */
  get(dispatch: Dispatch, what: string): Promise<GPUComputePipeline> {
    const { code } = dispatch;
    const known = this.#pipelines.get(code);
    const pipeline = known ?? this.#compile(dispatch, what);
    // A map keeps its keys in the order they came in.
    this.#pipelines.delete(code);
    this.#pipelines.set(code, pipeline);
    if (known) return known;
    if (this.#pipelines.size > pipelinesKept) this.#pipelines.delete(this.#pipelines.keys().next().value!);
    pipeline.catch(() => this.#pipelines.get(code) === pipeline && this.#pipelines.delete(code));
    return pipeline;
  }

  #layout({ bindings, scalars }: Dispatch): { bindings: GPUBindGroupLayout; pipeline: GPUPipelineLayout } {
    const types = bindings.map((b): GPUBufferBindingType => (b.access === 'read' ? 'read-only-storage' : 'storage'));
    if (scalars) types.push('uniform');
    const key = types.join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      const entries = types.map((type, binding) => ({ binding, visibility: computeStage, buffer: { type } }));
      const group = this.#device.createBindGroupLayout({ entries });
      layout = { bindings: group, pipeline: this.#device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  async #compile(dispatch: Dispatch, what: string): Promise<GPUComputePipeline> {
    const device = this.#device;
    if (this.#compiling >= atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#compiling++;
    try {
      device.pushErrorScope('validation');
      const module = device.createShaderModule({ label: what, code: dispatch.code });
      const invalid = device.popErrorScope();
      // Asked for only where there is no pipeline; a device that is lost rejects it.
      invalid.catch(() => {});
      try {
        return await device.createComputePipelineAsync({
          label: what,
          layout: this.#layout(dispatch).pipeline,
          compute: { module, entryPoint: 'main' },
        });
      } catch (cause) {
        const details = (await compilerMessages(module, dispatch.code)) ?? (await invalid)?.message ?? message(cause);
        throw new BackendError(`${what}: the shader did not compile: ${details}`, { cause });
      }
    } finally {
      this.#compiling--;
      this.#waiting.shift()?.();
    }
  }
}

async function compilerMessages(module: GPUShaderModule, code: string): Promise<string | undefined> {
  const lines = code.split('\n');
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter((m) => m.type === 'error');
  if (errors.length === 0) return undefined;
  return errors.map((m) => `line ${m.lineNum}: ${m.message}: ${lines[m.lineNum - 1]?.trim() ?? ''}`).join('\n');
}
