// The plan of a case for a backend, or why there is none.
import { lower, UnsupportedError } from '@transept/tensor';
import type { Backend, Plan, TracedGraph } from '@transept/tensor';
import type { OpCase } from './case.ts';
import type { NotSupported } from './result.ts';

export function planCase(
  { stored = {} }: OpCase,
  backend: Backend,
  traced: TracedGraph,
): Plan | Pick<NotSupported, 'outcome' | 'reason'> {
  const foreign = traced.graph.nodes.find(({ dtype }) => !backend.capabilities.dtypes.has(dtype));
  if (foreign) return { outcome: 'unsupported', reason: `no ${foreign.dtype} on this device` };
  const odd = Object.values(stored).find((storage) => !backend.capabilities.weights?.has(storage));
  if (odd) return { outcome: 'unsupported', reason: `no weights stored as ${odd}` };
  try {
    return lower(traced, backend, { stored: new Map(Object.entries(stored)) });
  } catch (error) {
    if (error instanceof UnsupportedError) return { outcome: 'unsupported', reason: error.message };
    throw error;
  }
}
