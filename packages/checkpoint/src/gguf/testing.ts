// Writes GGUF files for tests: as the format says, or with any field wrong.
export type TestValue =
  | { readonly u32: number }
  | { readonly u64: bigint }
  | { readonly f32: number }
  | { readonly text: string }
  | { readonly flag: number }
  | { readonly texts: readonly string[] }
  | { readonly i32s: readonly number[] }
  | { readonly f32s: readonly number[] }
  | { readonly raw: readonly number[] };

export interface TestTensor {
  /** Innermost axis first, as the file has it. */
  readonly dims: readonly (number | bigint)[];
  readonly type?: number;
  readonly offset?: number | bigint;
  readonly data?: Uint8Array;
}

export interface TestFile {
  readonly magic?: string;
  readonly version?: number;
  readonly values?: Readonly<Record<string, TestValue>> | readonly (readonly [string, TestValue])[];
  readonly tensors?: Readonly<Record<string, TestTensor>> | readonly (readonly [string, TestTensor])[];
  readonly keyCount?: bigint;
  readonly tensorCount?: bigint;
  readonly alignment?: number;
}

export function ggufBytes(file: TestFile): Uint8Array<ArrayBuffer> {
  const { magic = 'GGUF', version = 3, values = {}, tensors = {}, alignment = 32 } = file;
  const bytes: number[] = [];
  const number = (size: number, write: (view: DataView) => void): void => {
    const view = new DataView(new ArrayBuffer(size));
    write(view);
    bytes.push(...new Uint8Array(view.buffer));
  };
  const u32 = (n: number): void => number(4, (v) => v.setUint32(0, n, true));
  const u64 = (n: number | bigint): void => number(8, (v) => v.setBigUint64(0, BigInt(n), true));
  const f32 = (n: number): void => number(4, (v) => v.setFloat32(0, n, true));
  const text = (s: string): void => {
    const encoded = new TextEncoder().encode(s);
    u64(encoded.length);
    bytes.push(...encoded);
  };
  const list = <T>(type: number, items: readonly T[], write: (item: T) => void): void => {
    u32(9);
    u32(type);
    u64(items.length);
    items.forEach(write);
  };
  const value = (v: TestValue): void => {
    if ('u32' in v) (u32(4), u32(v.u32));
    else if ('u64' in v) (u32(10), u64(v.u64));
    else if ('f32' in v) (u32(6), f32(v.f32));
    else if ('text' in v) (u32(8), text(v.text));
    else if ('flag' in v) (u32(7), bytes.push(v.flag));
    else if ('texts' in v) list(8, v.texts, text);
    else if ('i32s' in v) list(5, v.i32s, u32);
    else if ('f32s' in v) list(6, v.f32s, f32);
    else bytes.push(...v.raw);
  };
  const keys = Array.isArray(values) ? values : Object.entries(values);
  const list2 = (Array.isArray(tensors) ? tensors : Object.entries(tensors)) as (readonly [string, TestTensor])[];
  bytes.push(...new TextEncoder().encode(magic));
  u32(version);
  u64(file.tensorCount ?? list2.length);
  u64(file.keyCount ?? keys.length);
  for (const [name, v] of keys as (readonly [string, TestValue])[]) {
    text(name);
    value(v);
  }
  let end = 0;
  for (const [name, { dims, type = 0, offset, data }] of list2) {
    text(name);
    u32(dims.length);
    dims.forEach(u64);
    u32(type);
    u64(offset ?? end);
    end = Math.ceil((end + (data?.length ?? 0)) / alignment) * alignment;
  }
  while (bytes.length % alignment !== 0) bytes.push(0);
  for (const [, { data }] of list2) {
    bytes.push(...(data ?? []));
    while (bytes.length % alignment !== 0) bytes.push(0);
  }
  return Uint8Array.from(bytes);
}
