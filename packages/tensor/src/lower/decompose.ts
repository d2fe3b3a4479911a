// First step of lowering: what the backend has no kernel for becomes its definition, again and again until only accepted
// operations are left. Copies are put in where a kernel wants contiguous inputs, or would read what it writes.
import { isFused } from '../backend.ts';
import type { Backend, Kernel, OpName } from '../backend.ts';
import { computeType } from '../dtype.ts';
import { UnsupportedError } from '../errors.ts';
import { definitions } from '../fused/index.ts';
import { Graph } from '../graph.ts';
import type { CallNode, Node, Operand, Tensor, TracedGraph } from '../graph.ts';
import { copy } from '../ops/copy.ts';
import type { Call, Note, View } from '../plan.ts';
import { isContiguous, whole } from '../shape.ts';

export const kernelFor = (backend: Backend, op: OpName): Kernel<unknown> | undefined =>
  (backend.kernels as Partial<Record<OpName, Kernel<unknown>>>)[op];

/** The call that a node becomes, given where operands lie and where its output does. */
export function callOf(node: CallNode, view: (o: Operand) => View, output: View): Call {
  const { op, attrs, inputs, prologue, epilogue, stores, label } = node;
  return {
    op,
    attrs,
    inputs: inputs.map(view),
    output,
    label,
    ...(prologue && {
      prologue: {
        op: prologue.op,
        attrs: prologue.attrs,
        inputs: prologue.inputs.map(view),
        ...(prologue.output && { output: view(prologue.output) }),
      },
    }),
    ...(epilogue && { epilogue: { ...epilogue, inputs: epilogue.inputs.map(view) } }),
    ...(stores && {
      stores: stores.map(({ from, start, into }) => ({
        from: { ...output, ...from, offset: output.offset + from.offset },
        start,
        output: view(into),
      })),
    }),
  };
}

/** The same with node numbers for buffers, as kernels get it to accept or decline. */
export function draftCall(graph: Graph, node: CallNode, id: number): Call {
  const view = (o: Operand): View => ({
    buffer: graph.rootOf(o.node),
    dtype: graph.nodes[o.node]!.dtype,
    offset: o.offset,
    shape: o.shape,
    strides: o.strides,
  });
  return callOf(node, view, node.into ? view(node.into) : { buffer: id, dtype: node.dtype, ...whole(node.shape) });
}

export function decompose({ graph, outputs }: TracedGraph, backend: Backend, notes: Note[]): TracedGraph {
  const out = new Graph(graph.name);
  out.scalars.push(...graph.scalars);
  const moved: Tensor[] = []; // node of `graph` → its value in `out`

  const accept = (node: Node): Tensor => {
    switch (node.kind) {
      case 'bound':
        if (node.role === 'parameter') return adopt(out, graph, node.name);
        return node.role === 'input'
          ? out.input(node.name, node.shape, node.dtype)
          : out.state(node.name, node.shape, node.dtype);
      case 'empty':
        return out.empty(node.shape, node.dtype);
      case 'call':
        return place(node, node.inputs.map(move), node.into && move(node.into));
      default:
        return node satisfies never;
    }
  };
  const move = (o: Operand): Tensor => out.view(moved[o.node]!.node, o);

  /** Add a call to `out`, or its definition. Definitions are traced into a graph of their own and placed call by call. */
  const place = (node: CallNode, inputs: Tensor[], into: Tensor | undefined): Tensor => {
    const reason = refusal(node, inputs);
    if (reason === undefined) {
      const kernel = kernelFor(backend, node.op)!;
      const ready = inputs.map((x) => (needsCopy(kernel, x, into) ? copied(x, node) : x));
      return into
        ? out.write(node.op, into, ready, node.attrs, node.label)
        : out.call(node.op, ready, node.attrs, node.shape, node.dtype, node.label);
    }
    if (!isFused(node.op))
      throw new UnsupportedError(
        `${node.op}: ${backend.name} declines it: ${reason}; ${node.label} in "${graph.name}" needs it`,
      );
    notes.push({ kind: 'decomposed', op: node.op, label: node.label, detail: reason });
    return expand(node, inputs);
  };

  const expand = (node: CallNode, inputs: readonly Tensor[]): Tensor => {
    const inner = new Graph(graph.name);
    inner.scalars.push(...graph.scalars);
    // The definition sees each input as a tensor with the strides it has here.
    const stand = inputs.map((x, i) => inner.view(inner.state(`${i}`, out.nodes[x.node]!.shape, x.dtype).node, x));
    const result = inner.scope(node.label, () => definitions[node.op as keyof typeof definitions](stand, node.attrs));
    const values: Tensor[] = [];
    const at = (o: Operand): Tensor => {
      const from = stand.findIndex((s) => s.node === o.node);
      return out.view(from >= 0 ? inputs[from]!.node : values[o.node]!.node, o);
    };
    inner.nodes.forEach((n, i) => {
      if (n.kind === 'empty') values[i] = out.empty(n.shape, n.dtype);
      if (n.kind === 'call') values[i] = place(n, n.inputs.map(at), n.into && at(n.into));
    });
    return at(result);
  };

  const refusal = (node: CallNode, inputs: readonly Tensor[]): string | undefined => {
    const kernel = kernelFor(backend, node.op);
    if (!kernel) return 'no kernel';
    const known = backend.capabilities.dtypes;
    const foreign = [node.dtype, ...inputs.map((x) => x.dtype)].find((d) => !known.has(d));
    if (foreign) return `no ${foreign} on this device`;
    return kernel.declines?.(draftCall(out, { ...node, inputs: [...inputs] }, -1), backend.capabilities);
  };

  const needsCopy = (kernel: Kernel<unknown>, x: Tensor, into: Tensor | undefined): boolean =>
    (kernel.contiguous === true && !isContiguous(x)) ||
    (into !== undefined && out.rootOf(x.node) === out.rootOf(into.node));

  const copied = (x: Tensor, node: CallNode): Tensor => {
    const reading = !isContiguous(x) ? 'its input is not contiguous' : 'it writes to the memory that it reads';
    notes.push({ kind: 'copied', op: node.op, label: node.label, detail: reading });
    return copy(x);
  };

  graph.nodes.forEach((node, id) => (moved[id] = accept(node)));
  return { graph: out, outputs: Object.fromEntries(Object.entries(outputs).map(([name, t]) => [name, move(t)])) };
}

function adopt(out: Graph, from: Graph, name: string): Tensor {
  const parameter = from.parameters.get(name)!;
  if ('values' in parameter.source) return out.constant(name, parameter.shape, parameter.source.values as Float32Array);
  const { parts, plus } = parameter.source;
  const { shape, dtype } = parameter;
  if (parts.length > 1 || parts[0]!.name !== name) return out.mergedParameter(parts, dtype, { name });
  return out.parameter(parts[0]!.name, shape, dtype, plus === undefined ? {} : { plus });
}

/** Do the types of an expression's inputs compute the same as when stored and loaded again? */
export const keepsPrecision = (node: CallNode): boolean => node.dtype === computeType(node.dtype);
