// Weights by name. A layer asks for tensors by their names in a checkpoint, relative to where it stands.
import type { Graph, Tensor } from '@transept/tensor';

/** A place in the tree of a checkpoint's names. */
export interface Weights {
  readonly graph: Graph;
  /** Where this is, e.g. `model.decoder.layers.0`. */
  readonly path: string;
  /** A place further in. */
  at(path: string): Weights;
  /** A tensor by its name here. */
  get(name: string, shape: readonly number[]): Tensor;
  /** Several tensors as one, one after the other along axis 0. */
  merged(names: readonly string[], shapes: readonly (readonly number[])[]): Tensor;
}

export function weights(graph: Graph, path = ''): Weights {
  const full = (name: string): string => (path ? `${path}.${name}` : name);
  return {
    graph,
    path,
    at: (inner) => weights(graph, full(inner)),
    get: (name, shape) => graph.parameter(full(name), shape),
    merged: (names, shapes) =>
      graph.mergedParameter(names.map((name, i) => ({ name: full(name), shape: shapes[i]! }))),
  };
}
