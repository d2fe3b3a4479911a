// A GPU device that computes nothing and remembers everything: every call by name, the contents that writes and copies
// leave in buffers, and what is still alive. It can be told to fail.

interface MockBuffer {
  readonly label: string;
  readonly size: number;
  readonly usage: number;
  readonly data: Uint8Array<ArrayBuffer>;
  mapState: GPUBufferMapState;
  destroyed: boolean;
  mapAsync(): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

type Copy = readonly [
  source: MockBuffer,
  sourceOffset: number,
  target: MockBuffer,
  targetOffset: number,
  bytes: number,
];

export interface MockOptions {
  readonly limits?: Readonly<Record<string, number>>;
  /** The number of the buffer, counted from one, that there is no memory for. */
  readonly failingBuffer?: number;
  /** Shaders that contain this text do not compile. */
  readonly failingShader?: string;
  /** Maps wait until `finishMaps` is called. */
  readonly slowMaps?: boolean;
}

export class MockDevice {
  readonly calls: string[] = [];
  readonly buffers: MockBuffer[] = [];
  readonly features = new Set<string>();
  readonly limits: Readonly<Record<string, number>>;
  readonly lost: Promise<GPUDeviceLostInfo>;
  /** Takes the device away, as a driver would. */
  lose!: (message: string) => void;
  destroyed = false;
  readonly #options: MockOptions;
  readonly #scopes: (string | undefined)[] = [];
  readonly #maps: [finish: () => void, fail: (error: Error) => void][] = [];

  constructor(options: MockOptions = {}) {
    this.#options = options;
    this.limits = {
      maxBufferSize: 2 ** 28,
      maxStorageBufferBindingSize: 2 ** 27,
      maxStorageBuffersPerShaderStage: 8,
      ...options.limits,
    };
    this.lost = new Promise((resolve) => {
      this.lose = (message) => {
        for (const [, fail] of this.#maps.splice(0)) fail(new Error('the device is lost'));
        resolve({ reason: 'unknown', message } as GPUDeviceLostInfo);
      };
    });
  }

  /** The device as the backend takes it. */
  get device(): GPUDevice {
    return this as unknown as GPUDevice;
  }

  get alive(): number {
    return this.buffers.filter((b) => !b.destroyed).length;
  }

  finishMaps(): void {
    for (const [finish] of this.#maps.splice(0)) finish();
  }

  readonly queue = {
    writeBuffer: (target: MockBuffer, offset: number, data: ArrayBuffer, from = 0, bytes = data.byteLength): void => {
      this.#record('writeBuffer', target);
      target.data.set(new Uint8Array(data, from, bytes), offset);
    },
    submit: (commands: readonly { copies: readonly Copy[] }[]): void => {
      this.#record('submit');
      for (const [source, at, target, to, bytes] of commands.flatMap((c) => c.copies)) {
        if (target.mapState !== 'unmapped') throw new Error('a copy into a mapped buffer');
        this.#record('copy', source, target);
        target.data.set(source.data.subarray(at, at + bytes), to);
      }
    },
  };

  addEventListener(): void {}

  destroy(): void {
    this.destroyed = true;
  }

  pushErrorScope(filter: GPUErrorFilter): void {
    this.#scopes.push(filter);
  }

  readonly #errors: { filter: string; message: string }[] = [];
  async popErrorScope(): Promise<{ message: string } | null> {
    const filter = this.#scopes.pop();
    const at = this.#errors.findIndex((e) => e.filter === filter);
    return at < 0 ? null : this.#errors.splice(at, 1)[0]!;
  }

  createBuffer({ label = '', size, usage }: GPUBufferDescriptor): MockBuffer {
    this.#record('createBuffer');
    const device = this;
    const buffer: MockBuffer = {
      label,
      size,
      usage,
      data: new Uint8Array(size),
      mapState: 'unmapped',
      destroyed: false,
      async mapAsync() {
        device.#record('mapAsync', buffer);
        buffer.mapState = 'pending';
        if (device.#options.slowMaps) await new Promise<void>((...ends) => device.#maps.push(ends));
        buffer.mapState = 'mapped';
      },
      getMappedRange: () => buffer.data.buffer,
      unmap: () => void (buffer.mapState = 'unmapped'),
      destroy: () => void (buffer.destroyed = true),
    };
    this.buffers.push(buffer);
    if (this.buffers.length === this.#options.failingBuffer)
      this.#errors.push({ filter: 'out-of-memory', message: 'no memory left' });
    return buffer;
  }

  createBindGroupLayout(): object {
    this.#record('createBindGroupLayout');
    return {};
  }

  createPipelineLayout(): object {
    this.#record('createPipelineLayout');
    return {};
  }

  createShaderModule({ code }: GPUShaderModuleDescriptor): object {
    this.#record('createShaderModule');
    const { failingShader } = this.#options;
    const lines = code.split('\n');
    const lineNum = failingShader === undefined ? 0 : lines.findIndex((l) => l.includes(failingShader)) + 1;
    const messages = lineNum > 0 ? [{ type: 'error', lineNum, message: 'not to my taste' }] : [];
    return { messages, getCompilationInfo: async () => ({ messages }) };
  }

  async createComputePipelineAsync({ compute }: GPUComputePipelineDescriptor): Promise<object> {
    this.#record('createComputePipelineAsync');
    await Promise.resolve();
    if ((compute.module as unknown as { messages: readonly unknown[] }).messages.length > 0)
      throw new Error('invalid module');
    return {};
  }

  createBindGroup(): object {
    this.#record('createBindGroup');
    return {};
  }

  createCommandEncoder(): object {
    this.#record('createCommandEncoder');
    const copies: Copy[] = [];
    return {
      beginComputePass: () => {
        this.#record('beginComputePass');
        return {
          setPipeline: () => this.#record('setPipeline'),
          setBindGroup: () => this.#record('setBindGroup'),
          dispatchWorkgroups: () => this.#record('dispatchWorkgroups'),
          end: () => this.#record('end'),
        };
      },
      copyBufferToBuffer: (...copy: Copy) => void copies.push(copy),
      finish: () => ({ copies }),
    };
  }

  #record(call: string, ...buffers: readonly MockBuffer[]): void {
    for (const buffer of buffers) if (buffer.destroyed) throw new Error(`${call} with a destroyed buffer`);
    this.calls.push(call);
  }
}
