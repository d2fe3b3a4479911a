// What a model's graphs ask for, found by tracing the smallest of them.
import { storableParameters, trace } from '@transept/tensor';
import type { Graph, Parameter } from '@transept/tensor';
import type { Model } from '../family.ts';

/** Everything that the graphs of a model ask for. */
export const parametersOf = (model: Model): Parameter[] => [...smallest(model).parameters.values()];

/** Names of the parameters that may be stored in other ways than as f32. */
export const storable = (model: Model): Set<string> => storableParameters(smallest(model));

const smallest = (model: Model): Graph =>
  trace('parameters', (g) => {
    build(g, model);
    return {};
  }).graph;

function build(g: Graph, model: Model): unknown {
  if (model.kind === 'vision') return model.outputs(g, model.encode(g, g.input('pixels', [1, ...model.imageShape])));
  const ids = g.input('ids', [1, 1], 'i32');
  if (model.kind === 'decoder') return model.decode(g, { ids });
  const mask = g.input('mask', [1, 1], 'i32');
  if (model.kind === 'encoder') return model.outputs(g, model.encode(g, { ids, mask }), { ids, mask });
  const features = model.sourceFeatures && g.input('features', [1, ...model.sourceFeatures]);
  const keyValues = model.crossKeyValues(g, model.encode(g, features ? { features } : { ids, mask }));
  return model.decode(g, { ids }, { keyValues, ...(!features && { mask }) });
}
