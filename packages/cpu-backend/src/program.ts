// A loaded plan: its calls as steps in WebAssembly memory, its temporaries, its parameters in panels. Running it is one call into
// WebAssembly, which walks the steps.
import { BackendError, storedBytes } from '@transept/tensor';
import type { Backend, Buffer, Call, Capabilities, Kernel, Plan, Program, View } from '@transept/tensor';
import { DeviceBuffer } from './buffer.ts';
import type { Heap } from './memory.ts';
import { rowsOf } from './packing.ts';
import type { PackedParameters } from './packing.ts';
import { claimBytes, stepWords, writeProgram } from './replay.ts';
import { kernelNumbers, storageOf, worthSharing } from './step.ts';
import type { Placement, Step } from './step.ts';

const chunkBytes = 16384;
const laneBytes = 16;

/** What a program needs of its backend. */
export interface Host {
  readonly heap: Heap;
  readonly packing: PackedParameters;
  readonly threads: number;
  readonly kernels: Backend<Step>['kernels'];
  readonly capabilities: Capabilities;
  /** Replay the program at an address. Throws when the device is lost. */
  run(program: number | bigint): void;
  /** Wait until no other thread looks at a program any more. Before that none may be freed or changed. */
  settle(): void;
}

const isParameter = (plan: Plan, { buffer }: View): boolean => {
  const planned = plan.buffers[buffer]!;
  return planned.kind === 'bound' && planned.role === 'parameter';
};

/** Bound buffers that some call needs as they were written: all but weights that matmul has panels of or gather takes rows of. */
function readPlainly(plan: Plan): Set<number> {
  const plain = new Set<number>();
  for (const { op, inputs, output, epilogue } of plan.calls) {
    for (const view of [output, ...(epilogue?.inputs ?? [])]) plain.add(view.buffer);
    inputs.forEach((view, i) => {
      const panels = op === 'matmul' && i === 1 && isParameter(plan, view);
      const rows = op === 'gather' && i === 0 && isParameter(plan, view) && rowsOf(view, 0);
      if (!panels && !rows) plain.add(view.buffer);
    });
  }
  return plain;
}

/** Undo, in reverse order, everything noted here. */
class Release {
  readonly #undo: (() => void)[] = [];

  defer(undo: () => void): void {
    this.#undo.push(undo);
  }

  all(): void {
    while (this.#undo.length > 0) this.#undo.pop()!();
  }
}

/** Small blocks that live as long as a program: parameters, shapes, instructions. */
class Words {
  readonly #heap: Heap;
  readonly #release: Release;
  #next = 0;
  #end = 0;

  constructor(heap: Heap, release: Release) {
    this.#heap = heap;
    this.#release = release;
  }

  /** Numbers of 32 bits. */
  place(words: readonly number[]): number {
    const at = this.#room(words.length * 4);
    this.#heap.words.set(words, at / 4);
    return at;
  }

  /** Words that may be addresses. */
  placeBlock(words: readonly number[]): number {
    const at = this.#room(words.length * this.#heap.wordBytes);
    this.#heap.writeBlock(at, words);
    return at;
  }

  #room(least: number): number {
    const bytes = Math.ceil(least / laneBytes) * laneBytes;
    if (this.#next + bytes > this.#end) {
      const size = Math.max(chunkBytes, bytes);
      const chunk = this.#heap.allocate(size, 'the steps of a program');
      this.#release.defer(() => this.#heap.free(chunk));
      this.#next = chunk;
      this.#end = chunk + size;
    }
    const at = this.#next;
    this.#next += bytes;
    return at;
  }
}

export class LoadedProgram implements Program {
  readonly plan: Plan;
  readonly dispatches: number;
  readonly #host: Host;
  readonly #release = new Release();
  readonly #buffers = new Map<string, DeviceBuffer>();
  #address = 0;
  #entry: number | bigint = 0;
  #scalars = 0;
  #disposed = false;

  constructor(host: Host, plan: Plan, bound: Readonly<Record<string, Buffer>>) {
    this.#host = host;
    this.plan = plan;
    this.dispatches = plan.calls.length;
    try {
      this.#load(bound);
    } catch (error) {
      this.#release.all();
      throw error;
    }
  }

  #load(bound: Readonly<Record<string, Buffer>>): void {
    const { heap, packing, threads, kernels, capabilities } = this.#host;
    const { plan } = this;
    const release = this.#release;
    const allocate = (bytes: number, what: string): number => {
      const address = heap.allocate(bytes, what);
      release.defer(() => heap.free(address));
      return address;
    };
    const plain = readPlainly(plan);
    const addresses = plan.buffers.map((planned, i) => {
      if (planned.kind === 'temporary') return allocate(planned.bytes, `temporaries of plan "${plan.name}"`);
      const buffer = this.#bind(planned, bound[planned.name]);
      if (planned.role !== 'parameter') return packing.writable(buffer, planned.name);
      if (!plain.has(i)) return buffer.address;
      const { address, release: free } = packing.plain(buffer);
      release.defer(free);
      return address;
    });
    const steps = plan.calls.map((call) => this.#prepare(call, kernels[call.op], capabilities));
    const scratchBytes = Math.ceil(Math.max(0, ...steps.map((s) => s.scratchBytes)) / 64) * 64 + 64;
    const words = new Words(heap, release);
    const scalars = words.place(new Array<number>(Math.max(1, plan.scalars.length) * 4).fill(0));
    this.#scalars = scalars;
    const placement: Placement = {
      address: (view: View) => {
        const stored = storageOf(view, plan);
        return addresses[view.buffer]! + (stored ? storedBytes(stored, view.offset) : view.offset * 4);
      },
      scalar: (value) => (typeof value === 'number' ? words.place([value]) : scalars + value.scalar * laneBytes),
      scalarLanes: (scalar) => scalars + scalar * laneBytes,
      words: (values) => words.place(values),
      block: (values) => words.placeBlock(values),
      panels: (view, stored) => {
        const { release: free, ...panels } = packing.panels(this.#bufferOf(view)!, view, stored);
        release.defer(free);
        return panels;
      },
      rows: (table) => {
        const parameter = isParameter(plan, table) ? this.#bufferOf(table) : undefined;
        const rows = parameter && rowsOf(table, 0);
        if (!parameter || !rows) return { table: placement.address(table), panelledAt: 0, base: 0, first: 0 };
        const base = parameter.address;
        const stored = storageOf(table, plan);
        const start = stored ? storedBytes(stored, table.offset) : table.offset * 4;
        return { table: base + start, panelledAt: parameter.panelledAt(), base, first: rows.first };
      },
      scratch: allocate(scratchBytes * threads, `working memory of plan "${plan.name}"`),
      scratchBytes,
    };
    const written = writeProgram(
      steps.map((step) => ({
        kernel: kernelNumbers[step.kernel],
        parameters: words.placeBlock(step.parameters(placement)),
        parts: step.work >= worthSharing ? threads : 1,
      })),
      (bytes) => allocate(bytes, `who does what of plan "${plan.name}"`),
    );
    this.#address = words.placeBlock(written);
    this.#entry = heap.pointer(this.#address);
    release.defer(() => this.#host.settle());
  }

  #bind(planned: Extract<Plan['buffers'][number], { kind: 'bound' }>, buffer: Buffer | undefined): DeviceBuffer {
    const { name, bytes, role } = planned;
    const where = `load: "${name}" of plan "${this.plan.name}"`;
    if (!buffer) throw new BackendError(`${where}: nothing is bound to it; it takes a buffer of ${bytes} bytes`);
    if (!(buffer instanceof DeviceBuffer) || !buffer.belongsTo(this.#host.heap))
      throw new BackendError(`${where}: the buffer belongs to another backend; allocate it here`);
    if (buffer.disposed) throw new BackendError(`${where}: the buffer was disposed`);
    if (buffer.bytes < bytes)
      throw new BackendError(`${where}: the buffer has ${buffer.bytes} bytes; it takes ${bytes}`);
    const reads = role === 'parameter' ? 1 : 0;
    buffer.users++;
    buffer.readers += reads;
    this.#release.defer(() => {
      buffer.users--;
      buffer.readers -= reads;
    });
    this.#buffers.set(name, buffer);
    return buffer;
  }

  #bufferOf({ buffer }: View): DeviceBuffer | undefined {
    const planned = this.plan.buffers[buffer]!;
    return planned.kind === 'bound' ? this.#buffers.get(planned.name) : undefined;
  }

  #prepare(call: Call, kernel: Kernel<Step> | undefined, capabilities: Capabilities): Step {
    if (!kernel)
      throw new BackendError(
        `load: plan "${this.plan.name}" was lowered for "${this.plan.backend}": no kernel for ${call.op}`,
      );
    return kernel.prepare(call, this.plan, capabilities);
  }

  run(scalars?: readonly number[]): void {
    if (this.#disposed) throw new BackendError(`run: the program "${this.plan.name}" was disposed`);
    const declared = this.plan.scalars;
    if ((scalars?.length ?? 0) !== declared.length)
      throw new BackendError(
        `run: plan "${this.plan.name}" takes ${declared.length} scalars (${declared.map((s) => s.name).join(', ')}), received ${scalars?.length ?? 0}`,
      );
    if (scalars) {
      const { words, floats } = this.#host.heap;
      for (let i = 0; i < scalars.length; i++) {
        const at = (this.#scalars + i * laneBytes) / 4;
        const view = declared[i]!.dtype === 'f32' ? floats : words;
        for (let lane = 0; lane < 4; lane++) view[at + lane] = scalars[i]!;
      }
    }
    this.#host.run(this.#entry);
  }

  /** Milliseconds of each call, run by itself in the order of the plan: the medians of some rounds. */
  timeCalls(rounds: number): number[] {
    const { heap, run, settle, threads } = this.#host;
    const times = this.plan.calls.map((): number[] => []);
    const claims = heap.allocate(threads * claimBytes, 'a call that is timed');
    const blockBytes = stepWords * heap.wordBytes;
    const alone = heap.allocate(2 * blockBytes, 'a call that is timed');
    const entry = heap.pointer(alone);
    try {
      for (let round = 0; round < rounds; round++)
        times.forEach((taken, i) => {
          const step = heap.readBlock(this.#address + blockBytes * (i + 1), 3);
          const [kernel, parameters, parts] = step as [number, number, number];
          settle();
          heap.writeBlock(
            alone,
            writeProgram([{ kernel, parameters, parts }], () => claims),
          );
          const began = performance.now();
          run(entry);
          taken.push(performance.now() - began);
        });
    } finally {
      settle();
      heap.free(alone);
      heap.free(claims);
    }
    return times.map((taken) => taken.sort((a, b) => a - b)[rounds >> 1]!);
  }

  async read(name: string): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#disposed) throw new BackendError(`read: the program "${this.plan.name}" was disposed`);
    const planned = this.plan.buffers.find((b) => b.kind === 'bound' && b.name === name && b.readback);
    if (!planned) throw new BackendError(`read: plan "${this.plan.name}" was not lowered with readback of "${name}"`);
    const { address } = this.#buffers.get(name)!;
    return new Uint8Array(this.#host.heap.bytesView.subarray(address, address + planned.bytes));
  }

  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#release.all();
  }
}
