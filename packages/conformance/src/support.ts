// What a backend does with a case: by a kernel of its own or by the definition, with or without an epilogue.
import { isFused, lower, trace, UnsupportedError } from '@transept/tensor';
import type { Backend, OpName } from '@transept/tensor';
import { titleOf } from './case.ts';
import type { OpCase } from './case.ts';
import type { NotSupported, Passed } from './result.ts';

export function supportOf(
  backend: Backend,
  c: OpCase,
): Pick<Passed, 'outcome' | 'support'> | Pick<NotSupported, 'outcome' | 'reason'> {
  try {
    const traced = trace(titleOf(c), (g) => c.build(g));
    const { calls, notes } = lower(traced, backend);
    const note = isFused(c.op as OpName) ? notes.find((n) => n.kind === 'decomposed' && n.op === c.op) : undefined;
    const epilogue = calls.some((call) => call.op === c.op && call.epilogue);
    return {
      outcome: 'pass',
      support: note ? { by: 'definition', reason: note.detail, epilogue } : { by: 'kernel', epilogue },
    };
  } catch (error) {
    if (error instanceof UnsupportedError) return { outcome: 'unsupported', reason: error.message };
    throw error;
  }
}
