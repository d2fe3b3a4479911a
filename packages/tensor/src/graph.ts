// Tracing. A model is an ordinary function over tensors; run once under `trace`, it leaves a graph of what it asked for.
// A tensor holds no memory: it is a node of the graph seen through a layout, so views cost nothing.
import { isFused } from './backend.ts';
import type { OpName } from './backend.ts';
import { bytesPer } from './dtype.ts';
import type { ComputeType, DType } from './dtype.ts';
import { ShapeError } from './errors.ts';
import type { Expr } from './expr.ts';
import { maxScalars } from './plan.ts';
import type { Attrs, Prologue, Role, Scalar, ScalarRef, Store } from './plan.ts';
import { elements, formatShape, isContiguous, sameShape, whole } from './shape.ts';
import type { Layout, Shape } from './shape.ts';

/** A value in a graph. */
export interface Tensor extends Layout {
  readonly graph: Graph;
  readonly node: number;
  readonly dtype: DType;
}

/** A node's value seen through a layout. */
export interface Operand extends Layout {
  readonly node: number;
}

export type Node = BoundNode | EmptyNode | CallNode;

/** Memory that the caller supplies. */
export interface BoundNode {
  readonly kind: 'bound';
  readonly name: string;
  readonly role: Exclude<Role, 'output'>;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Memory that holds nothing yet, to be written by parts. */
export interface EmptyNode {
  readonly kind: 'empty';
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface CallNode {
  readonly kind: 'call';
  readonly op: OpName;
  readonly attrs: Attrs;
  readonly inputs: readonly Operand[];
  /** What lowering joined: as in a `Call`, with nodes for buffers. */
  readonly epilogue?: { readonly expr: Expr; readonly inputs: readonly Operand[]; readonly halves?: true };
  readonly prologue?: Pick<Prologue, 'op' | 'attrs'> & {
    readonly inputs: readonly Operand[];
    readonly output?: Operand;
  };
  readonly stores?: readonly (Pick<Store, 'start'> & { readonly from: Layout; readonly into: Operand })[];
  /** Writes into this part of another node in place; the node's value is then that whole node in its new version. */
  readonly into?: Operand;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly label: string;
}

/** One tensor of a checkpoint that becomes part of a parameter. */
export interface ParameterPart {
  readonly name: string;
  readonly shape: Shape;
  /** All zeros where the checkpoint has none of that name. */
  readonly optional?: boolean;
  /** The checkpoint has the matrix with rows and columns exchanged. */
  readonly transposed?: boolean;
}

/** The shape that a checkpoint has a part in. */
export const shapeInCheckpoint = ({ shape, transposed }: ParameterPart): Shape =>
  transposed ? shape.toReversed() : shape;

/** What a graph wants to have bound under a name, never written. */
export interface Parameter {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
  readonly source: StoredSource | { readonly values: ArrayBufferView };
}

/** Tensors of a checkpoint, one after the other along axis 0. */
export interface StoredSource {
  readonly parts: readonly ParameterPart[];
  /** Added to every value when it is loaded, for weights that are stored as what they differ from this number by. */
  readonly plus?: number;
}

export interface ParameterOptions {
  /** A number to add to every value when it is loaded. */
  readonly plus?: number;
  /** All zeros where the checkpoint has none of that name. */
  readonly optional?: boolean;
  /** The checkpoint has the matrix with rows and columns exchanged; `shape` is that of the tensor in the graph. */
  readonly transposed?: boolean;
}

export interface MergedOptions {
  readonly name?: string;
}

export class Graph {
  readonly name: string;
  readonly nodes: Node[] = [];
  readonly scalars: Scalar[] = [];
  readonly parameters = new Map<string, Parameter>();
  readonly #bound = new Map<string, Tensor>();
  readonly #scope: string[] = [];
  /** Node that memory was first made by → its newest version. */
  readonly #newest = new Map<number, number>();
  /** Node → the node that its memory was first made by. */
  readonly #root = new Map<number, number>();

  constructor(name: string) {
    this.name = name;
  }

  /** Values that the host writes between runs. */
  input(name: string, shape: Shape, dtype: DType = 'f32'): Tensor {
    return this.#bind({ kind: 'bound', role: 'input', name, shape, dtype });
  }

  /** Memory that runs change in place and that outlives them. */
  state(name: string, shape: Shape, dtype: DType = 'f32'): Tensor {
    return this.#bind({ kind: 'bound', role: 'state', name, shape, dtype });
  }

  /** A weight, by its name in a checkpoint. Asking again for the same name gives the same tensor. */
  parameter(
    name: string,
    shape: Shape,
    dtype: DType = 'f32',
    { plus = 0, optional = false, transposed = false }: ParameterOptions = {},
  ): Tensor {
    const part = { name, shape, ...(optional && { optional }), ...(transposed && { transposed }) };
    const source = { parts: [part], ...(plus !== 0 && { plus }) };
    return this.#parameter({ name: plus === 0 ? name : `${name}+${plus}`, shape, dtype, source });
  }

  /** Several weights of a checkpoint as one, one after the other along axis 0. Its own name is made from theirs, unless given. */
  mergedParameter(parts: readonly ParameterPart[], dtype: DType = 'f32', { name }: MergedOptions = {}): Tensor {
    const [first] = parts;
    if (!first)
      throw new ShapeError('parameter: no parts to merge: there is nothing to take a shape from; give at least one');
    for (const part of parts)
      if (!sameShape(part.shape.slice(1), first.shape.slice(1)))
        throw new ShapeError(
          `parameter: parts differ beyond axis 0: ${first.name} is ${formatShape(first.shape)}, ${part.name} is ${formatShape(part.shape)}`,
        );
    const shape = [parts.reduce((n, p) => n + p.shape[0]!, 0), ...first.shape.slice(1)];
    return this.#parameter({ name: name ?? mergedName(parts.map((p) => p.name)), shape, dtype, source: { parts } });
  }

  /** Values that the model makes itself, such as a table of positions. */
  constant(name: string, shape: Shape, values: Float32Array | Int32Array): Tensor {
    if (values.length !== elements(shape))
      throw new ShapeError(
        `constant: "${name}" has ${values.length} values; shape ${formatShape(shape)} takes ${elements(shape)}`,
      );
    return this.#parameter({ name, shape, dtype: values instanceof Int32Array ? 'i32' : 'f32', source: { values } });
  }

  /** A number that is given anew on every run. Asking again for the same name gives the same scalar. */
  scalar(name: string, dtype: ComputeType = 'i32'): ScalarRef {
    let at = this.scalars.findIndex((s) => s.name === name);
    if (at < 0) at = this.scalars.push({ name, dtype }) - 1;
    if (this.scalars.length > maxScalars)
      throw new RangeError(`scalar: "${name}" is one too many: a program has at most ${maxScalars} scalars`);
    return { scalar: at };
  }

  /** Memory to be written by parts; every element has to be written before it is read. */
  empty(shape: Shape, dtype: DType = 'f32'): Tensor {
    return this.#add({ kind: 'empty', shape, dtype });
  }

  /** Label everything that `build` asks for. Labels nest with dots. */
  scope<T>(label: string, build: () => T): T {
    this.#scope.push(label);
    try {
      return build();
    } finally {
      this.#scope.pop();
    }
  }

  /** Ask for an operation. Use the functions in `ops` and `fused`, which check shapes. */
  call(
    op: OpName,
    inputs: readonly Tensor[],
    attrs: Attrs,
    shape: Shape,
    dtype: DType,
    label = this.#label(op),
  ): Tensor {
    return this.add({ kind: 'call', op, attrs, inputs: inputs.map((t) => this.#operand(op, t)), shape, dtype, label });
  }

  /** Ask for an operation that writes into `target` in place. Gives the whole of the written memory in its new version. */
  write(op: OpName, target: Tensor, inputs: readonly Tensor[], attrs: Attrs, label = this.#label(op)): Tensor {
    const into = this.#operand(op, target);
    const { shape, dtype } = this.nodes[into.node]!;
    const root = this.rootOf(into.node);
    const rootNode = this.nodes[root]!;
    if (rootNode.kind === 'call' || (rootNode.kind === 'bound' && rootNode.role !== 'state'))
      throw new ShapeError(`${op}: target cannot be written in place: only a state or an empty tensor can`);
    const all = inputs.map((t) => this.#operand(op, t));
    return this.add({ kind: 'call', op, attrs, inputs: all, into, shape, dtype, label });
  }

  /** Append a node whose operands belong to this graph. */
  add(node: CallNode): Tensor {
    return this.#add(node);
  }

  view(node: number, layout: Layout): Tensor {
    const { offset, shape, strides } = layout;
    return { graph: this, node, dtype: this.nodes[node]!.dtype, offset, shape, strides };
  }

  /** The node that first made the memory a node's value lies in: itself, unless it writes in place. */
  rootOf(node: number): number {
    return this.#root.get(node) ?? node;
  }

  #label(op: OpName): string {
    const scope = this.#scope.join('.');
    return isFused(op) && scope ? `${scope}.${op}` : scope || op;
  }

  #add(node: Node): Tensor {
    const id = this.nodes.push(node) - 1;
    if (node.kind === 'call' && node.into) {
      const root = this.rootOf(node.into.node);
      this.#root.set(id, root);
      this.#newest.set(root, id);
    }
    return this.view(id, whole(node.shape));
  }

  #bind(node: BoundNode): Tensor {
    if (this.#bound.has(node.name))
      throw new ShapeError(`${node.role}: the name "${node.name}" is taken; names are unique in a graph`);
    if (
      node.shape.some((d) => !Number.isSafeInteger(d) || d < 0) ||
      elements(node.shape) * bytesPer[node.dtype] > 2 ** 52
    )
      throw new ShapeError(
        `${node.role}: "${node.name}" has shape ${formatShape(node.shape)}; sizes are whole numbers from 0 on`,
      );
    const tensor = this.#add(node);
    this.#bound.set(node.name, tensor);
    return tensor;
  }

  #parameter(parameter: Parameter): Tensor {
    const { name, shape, dtype } = parameter;
    const known = this.parameters.get(name);
    if (!known) {
      this.parameters.set(name, parameter);
      return this.#bind({ kind: 'bound', role: 'parameter', name, shape, dtype });
    }
    if (!sameShape(known.shape, shape) || known.dtype !== dtype)
      throw new ShapeError(
        `parameter: "${name}" is asked for as ${dtype} ${formatShape(shape)} and as ${known.dtype} ${formatShape(known.shape)}; one of them is wrong`,
      );
    return this.#bound.get(name)!;
  }

  #operand(op: OpName, t: Tensor): Operand {
    if (t.graph !== this)
      throw new ShapeError(`${op}: a tensor belongs to graph "${t.graph.name}"; this one is "${this.name}"`);
    const newest = this.#newest.get(this.rootOf(t.node));
    if (newest !== undefined && newest !== t.node)
      throw new ShapeError(`${op}: reads a state that was written since; use the tensor that the write returned`);
    return { node: t.node, offset: t.offset, shape: t.shape, strides: t.strides };
  }
}

/** `a.q.weight` and `a.k.weight` as `a.{q,k}.weight`. */
function mergedName(names: readonly string[]): string {
  const split = names.map((n) => n.split('.'));
  const [first] = split as [string[]];
  if (split.some((s) => s.length !== first.length)) return names.join('+');
  const merge = (i: number): string => {
    const at = split.map((s) => s[i]!);
    return at.every((a) => a === at[0]) ? at[0]! : `{${at.join(',')}}`;
  };
  return first.map((_, i) => merge(i)).join('.');
}

/** A function's graph: what it asked for, and which of it leaves the program. */
export interface TracedGraph {
  readonly graph: Graph;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Run `build` once with symbolic tensors. The values it returns are written to bound buffers of their names. */
export function trace(name: string, build: (g: Graph) => Readonly<Record<string, Tensor>>): TracedGraph {
  const graph = new Graph(name);
  return { graph, outputs: build(graph) };
}

/** Is this the whole value of its node, in order? */
export const isWhole = (graph: Graph, x: Operand): boolean =>
  x.offset === 0 && isContiguous(x) && elements(x.shape) === elements(graph.nodes[x.node]!.shape);
