// Which kernel is to blame: the calls of a plan one by one on the device, each compared with what the oracle makes of the very
// memory that it found. The first whose output is off, or that touches anything else, is the culprit.
import { bytesPer, expandStored, writesOf } from '@transept/tensor';
import type { Arithmetic, Backend, Call, OpName, View } from '@transept/tensor';
import { Loaded, sameBytes } from './device.ts';
import type { Memory } from './device.ts';
import { elementsIn } from './fence.ts';
import type { FencedPlan } from './fence.ts';
import { Cells, positionsOf } from './oracle/cells.ts';
import { evaluate } from './oracle/evaluate.ts';
import { boundedScalars } from './oracle/oracle.ts';

/** The operation of the first wrong call of a plan whose runs go wrong. */
export async function culpritOf(
  backend: Backend,
  fenced: FencedPlan,
  before: Memory,
  runs: readonly (readonly number[])[],
  arithmetic: Arithmetic,
): Promise<OpName | 'program'> {
  using stack = new DisposableStack();
  const alone = new Map<Call, Loaded>(); // kept from run to run, as what is wrong may be what a kernel remembers
  let memory = before;
  for (const scalars of runs)
    for (const call of fenced.plan.calls) {
      let loaded = alone.get(call);
      if (loaded) loaded.restore(memory);
      else {
        loaded = stack.use(await Loaded.load(backend, { ...fenced, plan: { ...fenced.plan, calls: [call] } }, memory));
        alone.set(call, loaded);
      }
      const after = await loaded.run(scalars);
      if (!isRight(call, fenced, memory, after, scalars, arithmetic)) return call.op;
      memory = after;
    }
  return 'program';
}

function isRight(
  call: Call,
  { plan }: FencedPlan,
  before: Memory,
  after: Memory,
  scalars: readonly number[],
  arithmetic: Arithmetic,
): boolean {
  const cells = new Map<string, Cells>();
  const memory = ({ buffer, dtype }: View): Cells => {
    const key = `${buffer}:${dtype}`;
    let known = cells.get(key);
    if (!known) {
      const planned = plan.buffers[buffer]!;
      const stored = planned.kind === 'bound' ? planned.stored : undefined;
      const values = stored
        ? expandStored(stored, before[buffer]!.subarray(0, planned.bytes))
        : elementsOf(before[buffer]!, dtype);
      cells.set(key, (known = new Cells(values.length)));
      known.fill(values);
    }
    return known;
  };
  evaluate(call, { plan, memory, scalars: boundedScalars(plan, scalars), arithmetic, expUlps: 0 });
  const touched = after.map((bytes) => bytes.slice());
  for (const view of writesOf(call)) {
    const [expected, received] = [memory(view), elementsOf(after[view.buffer]!, view.dtype)];
    for (const at of positionsOf(view)) {
      const [x, low, high] = [received[at]!, expected.low[at]!, expected.high[at]!];
      const anything = Number.isNaN(low) || (low === -Infinity && high === Infinity);
      if (!(x >= low && x <= high) && !(Number.isNaN(x) && anything)) return false;
      const size = bytesPer[view.dtype];
      touched[view.buffer]!.set(before[view.buffer]!.subarray(at * size, (at + 1) * size), at * size);
    }
  }
  return touched.every((bytes, i) => sameBytes(bytes, before[i]!));
}

const elementsOf = (bytes: Uint8Array<ArrayBuffer>, dtype: View['dtype']) =>
  elementsIn(dtype, bytes, Math.floor(bytes.length / bytesPer[dtype]));
