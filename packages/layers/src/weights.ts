// Weights by name. A layer asks for tensors by their names in a checkpoint, relative to where it stands.
import type { Graph, ParameterOptions, Tensor } from '@transept/tensor';

/** A place in the tree of a checkpoint's names. */
export interface Weights {
  readonly graph: Graph;
  /** Where this is, e.g. `model.decoder.layers.0`. */
  readonly path: string;
  /** A place further in. */
  at(path: string): Weights;
  /** A tensor by its name here. */
  get(name: string, shape: readonly number[], options?: ParameterOptions): Tensor;
  /** Several tensors as one, one after the other along axis 0. */
  merged(names: readonly string[], shapes: readonly (readonly number[])[], options?: MergedOptions): Tensor;
}

export interface MergedOptions {
  /** Its name, where theirs would be too many. */
  readonly as?: string;
  /** Names that a checkpoint may lack: zeros stand for them. */
  readonly optional?: readonly string[];
}

/** Build with the weights at a place, under a label of the same name. */
export const inside = <T>(w: Weights, path: string, build: (w: Weights) => T): T =>
  w.graph.scope(path, () => build(w.at(path)));

export function weights(graph: Graph, path = ''): Weights {
  const full = (name: string): string => (path ? `${path}.${name}` : name);
  return {
    graph,
    path,
    at: (inner) => weights(graph, full(inner)),
    get: (name, shape, options) => graph.parameter(full(name), shape, 'f32', options),
    merged: (names, shapes, { as, optional = [] } = {}) =>
      graph.mergedParameter(
        names.map((name, i) => ({
          name: full(name),
          shape: shapes[i]!,
          ...(optional.includes(name) && { optional: true }),
        })),
        'f32',
        as === undefined ? {} : { name: full(as) },
      ),
  };
}
