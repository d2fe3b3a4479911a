// The graph that `forward` runs, for those who want to run it another way: operation by operation, say.
import type { Model } from '@transept/models';
import { trace } from '@transept/tensor';
import type { TracedGraph } from '@transept/tensor';
import { passOf } from './passes.ts';
import type { ForwardInputs } from './passes.ts';

export interface ForwardGraph {
  readonly traced: TracedGraph;
  /** Contents of the graph's inputs by name; there may be more than it has. */
  readonly values: Readonly<Record<string, ArrayBufferView>>;
}

/** Throws an InputError for inputs that the model does not take, or whose sizes do not fit. */
export function forwardGraph(model: Model, inputs: ForwardInputs): ForwardGraph {
  const { values, build } = passOf(model, inputs);
  return { traced: trace(`${model.modelType} forward`, (g) => build(g, {}, undefined)), values };
}
