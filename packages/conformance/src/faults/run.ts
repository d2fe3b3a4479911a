// Is the suite worth something? Every fault is put into a correct backend by itself, and the suite has to notice.
import { casesFor, runConformance } from '../run.ts';
import type { Case } from '../case.ts';
import type { Fault } from './fault.ts';
import { fusedFaults } from './fused.ts';
import { neighbourFaults } from './neighbours.ts';
import { primitiveFaults } from './primitives.ts';
import { programFaults } from './programs.ts';
import { sound } from './sound.ts';

export const faults: readonly Fault[] = [...primitiveFaults, ...fusedFaults, ...neighbourFaults, ...programFaults];

export interface FaultResult {
  readonly op: Fault['op'];
  readonly name: string;
  readonly caught: boolean;
  /** The first case that failed, and what it said. */
  readonly by?: string;
  readonly reason?: string;
  /** Does the report point at the operation that is wrong? */
  readonly blamed?: boolean;
}

export interface FaultOptions {
  /** Faults whose `op/name` contains one of these. */
  readonly only?: readonly string[];
  /** Run all cases up to the first failure in place of those of the operation: slower, and shows that nothing is blamed before. */
  readonly all?: boolean;
  readonly signal?: AbortSignal;
}

/** Try the faults one by one. */
export async function* runFaults({ only, all = false, signal }: FaultOptions = {}): AsyncGenerator<
  FaultResult,
  void,
  undefined
> {
  const cases = casesFor({});
  for (const fault of faults) {
    signal?.throwIfAborted();
    const { op, name } = fault;
    if (only && !only.some((part) => `${op}/${name}`.includes(part))) continue;
    const topic = name.includes(':') ? name.slice(0, name.indexOf(':') + 1) : name;
    const isNear = (c: Case): number => Number(c.name.startsWith(topic));
    const relevant = all ? cases : cases.filter((c) => c.op === op).sort((a, b) => isNear(b) - isNear(a));
    yield { op, name, ...(await tryFault(fault, relevant)) };
  }
}

async function tryFault(
  fault: Fault,
  cases: ReturnType<typeof casesFor>,
): Promise<Pick<FaultResult, 'caught' | 'by' | 'reason' | 'blamed'>> {
  const make = () => sound(fault);
  for await (const result of runConformance(make(), { cases, fresh: make })) {
    if (result.outcome !== 'fail') continue;
    const { op, case: name, reason, culprit } = result;
    return {
      caught: true,
      by: `${op}/${name}`,
      reason,
      blamed: (culprit ?? op) === fault.op,
    };
  }
  return { caught: false };
}
