// Which tensors of a checkpoint become which parts of which parameters.
import type { Checkpoint } from '@transept/checkpoint';
import { elements } from '@transept/tensor';
import type { Parameter } from '@transept/tensor';
import type { Model } from '../family.ts';

export interface Destination {
  readonly parameter: string;
  /** First element in the parameter. */
  readonly start: number;
  /** Added to every value. */
  readonly plus: number;
}

/** The name that the checkpoint has for what a model reads under `name`; `name` where it has none. */
export const nameIn = (name: string, { tensors }: Checkpoint, model: Model): string =>
  tensors.has(name) ? name : (model.alternatives?.(name).find((other) => tensors.has(other)) ?? name);

/** Names in the checkpoint of matrices that parameters want with rows and columns exchanged. */
export const transposedIn = (parameters: readonly Parameter[], checkpoint: Checkpoint, model: Model): Set<string> =>
  new Set(
    parameters.flatMap(({ source }) =>
      'parts' in source ? source.parts.flatMap((p) => (p.transposed ? [nameIn(p.name, checkpoint, model)] : [])) : [],
    ),
  );

/**
 * Where each tensor of the checkpoint goes. A part that is optional and missing goes unmentioned: memory is zeros before it is
 * written. Throws a CheckpointError for a tensor that is missing or has another shape.
 */
export function locate(
  parameters: readonly Parameter[],
  checkpoint: Checkpoint,
  model: Model,
): Map<string, Destination[]> {
  const destinations = new Map<string, Destination[]>();
  for (const { name: parameter, source } of parameters) {
    if ('values' in source) continue;
    let start = 0;
    for (const { name: asked, shape, optional } of source.parts) {
      const name = nameIn(asked, checkpoint, model);
      if (!optional || checkpoint.tensors.has(name)) {
        checkpoint.find(name, shape);
        const known = destinations.get(name) ?? [];
        destinations.set(name, [...known, { parameter, start, plus: source.plus ?? 0 }]);
      }
      start += elements(shape);
    }
  }
  return destinations;
}
