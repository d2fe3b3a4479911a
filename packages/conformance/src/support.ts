// What a backend does with a case: by a kernel of its own or by the definition, and what lowering joins to it.
import { trace } from '@transept/tensor';
import type { Backend, Call } from '@transept/tensor';
import { titleOf } from './case.ts';
import type { OpCase } from './case.ts';
import { planCase } from './plan-case.ts';
import type { Joined, NotSupported, Passed } from './result.ts';

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
  const joined = [...new Set(plan.calls.filter(({ op }) => op === c.op).flatMap(joinedTo))];
  return {
    outcome: 'pass',
    support: note ? { by: 'definition', reason: note.detail, joined } : { by: 'kernel', joined },
  };
}

const joinedTo = ({ prologue, epilogue, stores }: Call): Joined[] => [
  ...(prologue ? (['prologue'] as const) : []),
  ...(epilogue ? (['epilogue'] as const) : []),
  ...(epilogue?.halves ? (['halves'] as const) : []),
  ...(stores ? (['stores'] as const) : []),
];
