// An ONNX operator as those who build it see it: inputs as tensors of a graph, or as numbers where they are what ours has as
// attributes (shapes, axes, how often); attributes with their defaults.
import { cast, elements, gather } from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';
import { Unsupported } from '../case.ts';
import { kindOf, valuesOf } from './format.ts';
import type { Kind, OnnxCase, OnnxTensor } from './format.ts';
import { smallFloats } from './small-floats.ts';

export class OnnxNode {
  readonly graph: Graph;
  readonly #case: OnnxCase;
  readonly #tensors = new Map<number, Tensor>();
  /** What has to be put into the inputs of the graph, by name. */
  readonly contents: Record<string, readonly number[]> = {};

  constructor(graph: Graph, c: OnnxCase) {
    this.graph = graph;
    this.#case = c;
  }

  get inputs(): number {
    return this.#case.inputs.length;
  }

  get outputs(): readonly (OnnxTensor | null)[] {
    return this.#case.outputs;
  }

  get opset(): number {
    return Object.values(this.#case.opset)[0]!;
  }

  has(input: number): boolean {
    return (this.#case.inputs[input] ?? null) !== null;
  }

  kind(input: number): Kind {
    return this.#kind(this.#given(input).dtype);
  }

  outputKind(output: number): Kind {
    return this.#kind(this.#case.outputs[output]!.dtype);
  }

  shape(input: number): readonly number[] {
    return this.#given(input).shape;
  }

  /** An input on the device. Floats of 8 bits and fewer are looked up in a table. */
  tensor(input: number): Tensor {
    const known = this.#tensors.get(input);
    if (known) return known;
    const given = this.#given(input);
    const { name, dtype } = this.kind(input);
    const tensor = this.add(`${input}.${given.name ?? ''}`, given.shape, valuesOf(given), dtype);
    const small = smallFloats[name];
    const value = small
      ? gather(this.graph.constant(`values of ${name} ${input}`, [small.values.length], small.values), tensor)
      : tensor;
    this.#tensors.set(input, value);
    return value;
  }

  /** The same in f32, or in i32. */
  as(dtype: 'f32' | 'i32', input: number): Tensor {
    return cast(this.tensor(input), dtype);
  }

  /** All inputs from one on. */
  tensors(from = 0): [Tensor, ...Tensor[]] {
    return Array.from({ length: this.inputs - from }, (_, i) => this.tensor(from + i)) as [Tensor, ...Tensor[]];
  }

  /** An input of the graph with values that follow from those of the case. */
  add(name: string, shape: readonly number[], values: readonly number[], dtype: Kind['dtype'] = 'f32'): Tensor {
    this.contents[name] = values;
    return this.graph.input(name, shape, dtype);
  }

  /** The numbers of an input, for what is fixed when a graph is traced. */
  values(input: number): number[] {
    return valuesOf(this.#given(input));
  }

  /** The single number of an input, or a default where it is left out. */
  value(input: number, otherwise: number): number {
    return this.has(input) && elements(this.shape(input)) > 0 ? this.values(input)[0]! : otherwise;
  }

  number(attribute: string, otherwise: number): number {
    return this.numberOrNone(attribute) ?? otherwise;
  }

  numberOrNone(attribute: string): number | undefined {
    return this.#case.attrs[attribute] as number | undefined;
  }

  flag(attribute: string, otherwise = false): boolean {
    return this.number(attribute, Number(otherwise)) !== 0;
  }

  numbers(attribute: string): readonly number[] | undefined {
    return this.#case.attrs[attribute] as readonly number[] | undefined;
  }

  text(attribute: string, otherwise: string): string {
    return (this.#case.attrs[attribute] as string | undefined) ?? otherwise;
  }

  attribute(name: string): OnnxTensor | undefined {
    return this.#case.attrs[name] as OnnxTensor | undefined;
  }

  #given(input: number): OnnxTensor {
    const given = this.#case.inputs[input];
    if (!given) throw new Unsupported(`${this.#case.op}: input ${input} is left out; this operator cannot do without`);
    return given;
  }

  #kind(dtype: string | number): Kind {
    const kind = kindOf(dtype);
    if (!kind) throw new Unsupported(`${this.#case.op}: a graph has no type ${dtype}`);
    return kind;
  }
}

/** How an operator is built: its outputs, in order; undefined for those it does not give. */
export type Operator = (node: OnnxNode) => Tensor | readonly (Tensor | undefined)[];
