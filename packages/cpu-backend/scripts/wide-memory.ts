// AssemblyScript can compute with 64-bit addresses but has no option for it, and declares every memory with 32-bit ones.
// This transform of the compiler asks for the first and puts the second right.

/** The number of the target `wasm64` in the compiler. */
const wasm64 = 2;

/** Bytes that memory begins with. */
interface Segment {
  readonly buffer: Uint8Array;
  readonly offset: { readonly low: number; readonly high: number };
}

type SetMemory = (
  initial: number,
  maximum: number,
  segments: readonly Segment[],
  target: number,
  exportName: string | null,
  name: string,
  shared: boolean,
) => void;

/** What the compiler puts into its transforms, as far as it is needed here. */
interface Compiler {
  readonly program: {
    readonly options: { target: number; readonly sizeTypeRef: number };
    readonly module: {
      readonly ref: number;
      sizeType: number;
      setMemory: SetMemory;
      allocStringCached(text: string): number;
      i64(low: number, high: number): number;
    };
  };
  readonly binaryen: {
    _malloc(bytes: number): number;
    _free(address: number): void;
    __i32_store8(address: number, byte: number): void;
    _BinaryenSetMemory(...parameters: unknown[]): void;
    _BinaryenAddDataSegment(...parameters: unknown[]): void;
  };
}

export class WideMemory {
  declare readonly program: Compiler['program'];
  declare readonly binaryen: Compiler['binaryen'];

  afterParse(): void {
    const { binaryen } = this;
    const { options, module } = this.program;
    options.target = wasm64;
    module.sizeType = options.sizeTypeRef;
    module.setMemory = (initial, maximum, segments, _target, exportName, name, shared) => {
      const memory = module.allocStringCached(name);
      const exported = exportName === null ? 0 : module.allocStringCached(exportName);
      binaryen._BinaryenSetMemory(module.ref, initial, maximum, exported, 0, 0, 0, 0, 0, 0, shared, true, memory);
      segments.forEach(({ buffer, offset }, i) => {
        const data = binaryen._malloc(buffer.length);
        buffer.forEach((byte, b) => binaryen.__i32_store8(data + b, byte));
        const at = module.i64(offset.low, offset.high);
        const segment = module.allocStringCached(String(i));
        binaryen._BinaryenAddDataSegment(module.ref, segment, memory, false, at, data, buffer.length);
        binaryen._free(data);
      });
    };
  }
}
