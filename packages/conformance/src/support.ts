// What a backend does with a case: by a kernel of its own or by the definition, with or without an epilogue.
import { trace } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { titleOf } from './case.ts';
import type { OpCase } from './case.ts';
import { planCase } from './plan-case.ts';
import type { NotSupported, Passed } from './result.ts';

export function supportOf(
  backend: Backend,
  c: OpCase,
): Pick<Passed, 'outcome' | 'support'> | Pick<NotSupported, 'outcome' | 'reason'> {
  const plan = planCase(
    c,
    backend,
    trace(titleOf(c), (g) => c.build(g)),
  );
  if ('outcome' in plan) return plan;
  const note = plan.notes.find((n) => n.kind === 'decomposed' && n.op === c.op);
  const epilogue = plan.calls.some((call) => call.op === c.op && call.epilogue);
  return {
    outcome: 'pass',
    support: note ? { by: 'definition', reason: note.detail, epilogue } : { by: 'kernel', epilogue },
  };
}
