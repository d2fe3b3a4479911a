// Writing small ONNX models: just enough of the protocol buffer (onnx.proto of ONNX 1.16) for the benchmarks' operators.

type Value = number | string | Uint8Array;

class Message {
  readonly #parts: Uint8Array[] = [];

  number(field: number, value: number): this {
    return this.#push(varint(field << 3), varint(value));
  }
  float(field: number, value: number): this {
    return this.#push(varint((field << 3) | 5), new Uint8Array(Float32Array.of(value).buffer));
  }
  bytes(field: number, value: Value | Message): this {
    const data =
      value instanceof Message
        ? value.end()
        : typeof value === 'string'
          ? new TextEncoder().encode(value)
          : (value as Uint8Array);
    return this.#push(varint((field << 3) | 2), varint(data.length), data);
  }
  end(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#parts.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
  #push(...parts: Uint8Array[]): this {
    this.#parts.push(...parts);
    return this;
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(left & 127n);
    left >>= 7n;
    bytes.push(left > 0n ? low | 128 : low);
  } while (left > 0n);
  return Uint8Array.from(bytes);
}

const types = { f32: 1, u8: 2, i8: 3, i64: 7 } as const;

export interface OnnxTensor {
  readonly type: keyof typeof types;
  readonly shape: readonly number[];
  readonly data: ArrayBufferView;
}

export type OnnxAttributes = Readonly<Record<string, number | { readonly float: number } | readonly number[]>>;

/** A graph of operators, built in order. */
export class OnnxGraph {
  readonly #graph = new Message();
  #names = 0;

  input(name: string, shape: readonly number[], type: keyof typeof types = 'f32'): string {
    this.#graph.bytes(11, valueInfo(name, shape, type));
    return name;
  }

  constant({ type, shape, data }: OnnxTensor): string {
    const name = `c${this.#names++}`;
    const tensor = new Message();
    for (const d of shape) tensor.number(1, d);
    const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.#graph.bytes(5, tensor.number(2, types[type]).bytes(8, name).bytes(9, raw));
    return name;
  }

  op(type: string, inputs: readonly string[], attributes: OnnxAttributes = {}, domain = ''): string {
    const name = `v${this.#names++}`;
    const node = new Message();
    for (const input of inputs) node.bytes(1, input);
    node.bytes(2, name).bytes(4, type);
    for (const [key, value] of Object.entries(attributes)) {
      const attribute = new Message().bytes(1, key);
      if (typeof value === 'number') attribute.number(3, value).number(20, 2);
      else if ('float' in value) attribute.float(2, value.float).number(20, 1);
      else {
        for (const v of value) attribute.number(8, v);
        attribute.number(20, 7);
      }
      node.bytes(5, attribute);
    }
    if (domain) node.bytes(7, domain);
    this.#graph.bytes(1, node);
    return name;
  }

  /** The whole model, giving `value` under the name `y`. */
  end(value: string, shape: readonly number[]): Uint8Array<ArrayBuffer> {
    const node = new Message().bytes(1, value).bytes(2, 'y').bytes(4, 'Identity');
    this.#graph
      .bytes(1, node)
      .bytes(2, 'benchmark')
      .bytes(12, valueInfo('y', shape, 'f32'));
    const opset = (domain: string, version: number): Message => new Message().bytes(1, domain).number(2, version);
    return new Message()
      .number(1, 9)
      .bytes(7, this.#graph)
      .bytes(8, opset('', 20))
      .bytes(8, opset('com.microsoft', 1))
      .end();
  }
}

function valueInfo(name: string, shape: readonly number[], type: keyof typeof types): Message {
  const dims = new Message();
  for (const d of shape) dims.bytes(1, new Message().number(1, d));
  const tensor = new Message().number(1, types[type]).bytes(2, dims);
  return new Message().bytes(1, name).bytes(2, new Message().bytes(1, tensor));
}
