// Counts what any runtime asks of WebGPU in this page, by standing before the methods of the API while it counts.

export interface Counts {
  submits: number;
  passes: number;
  dispatches: number;
  /** Buffers, bind groups, pipelines and shaders made. */
  created: number;
  /** Bytes given to the queue to write, and bytes mapped to be read. */
  written: number;
  read: number;
}

/** GPUMapMode.READ */
const mapRead = 1;

type Method = (this: object, ...values: unknown[]) => unknown;

const size = (data: unknown): number => (data as ArrayBufferView | ArrayBuffer).byteLength;

/** What passes through a method, added to the counts. */
const watched: readonly [
  owner: { prototype: object },
  method: string,
  add: (c: Counts, values: readonly unknown[], self: object) => void,
][] = [
  [GPUQueue, 'submit', (c) => c.submits++],
  [GPUQueue, 'writeBuffer', (c, values) => (c.written += writtenBytes(values))],
  [GPUCommandEncoder, 'beginComputePass', (c) => c.passes++],
  [GPUComputePassEncoder, 'dispatchWorkgroups', (c) => c.dispatches++],
  [GPUComputePassEncoder, 'dispatchWorkgroupsIndirect', (c) => c.dispatches++],
  [GPUDevice, 'createBuffer', (c) => c.created++],
  [GPUDevice, 'createBindGroup', (c) => c.created++],
  [GPUDevice, 'createShaderModule', (c) => c.created++],
  [GPUDevice, 'createComputePipeline', (c) => c.created++],
  [GPUDevice, 'createComputePipelineAsync', (c) => c.created++],
  [
    GPUBuffer,
    'mapAsync',
    (c, [mode, , bytes], self) => {
      if (mode === mapRead) c.read += (bytes as number | undefined) ?? (self as GPUBuffer).size;
    },
  ],
];

function writtenBytes([, , data, offset = 0, count]: readonly unknown[]): number {
  const unit = ArrayBuffer.isView(data) && 'BYTES_PER_ELEMENT' in data ? (data.BYTES_PER_ELEMENT as number) : 1;
  return count === undefined ? size(data) - (offset as number) * unit : (count as number) * unit;
}

/** What WebGPU is asked for while `work` goes on. */
export async function counted(work: () => Promise<unknown>): Promise<Counts> {
  const counts: Counts = { submits: 0, passes: 0, dispatches: 0, created: 0, written: 0, read: 0 };
  const undo: (() => void)[] = [];
  for (const [{ prototype }, name, add] of watched) {
    const methods = prototype as Record<string, Method>;
    const original = methods[name]!;
    methods[name] = function (...values) {
      add(counts, values, this);
      return original.apply(this, values);
    };
    undo.push(() => (methods[name] = original));
  }
  try {
    await work();
    return counts;
  } finally {
    for (const restore of undo) restore();
  }
}
