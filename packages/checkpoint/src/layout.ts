// What holds for the tensors of any file: no two of them share bytes.
import { CheckpointError, quoted } from './errors.ts';
import type { TensorInfo } from './stored.ts';

/** The tensors in the order of their bytes. Throws where two overlap; `what` begins the message. */
export function checkDisjoint(what: string, tensors: readonly TensorInfo[]): TensorInfo[] {
  const sorted = tensors.toSorted((a, b) => a.start - b.start || a.end - b.end);
  let last: TensorInfo | undefined;
  for (const tensor of sorted) {
    if (tensor.start === tensor.end) continue;
    if (last && tensor.start < last.end)
      throw new CheckpointError(
        `${what}: tensors overlap: ${quoted(last.name)} takes bytes ${last.start} to ${last.end}, ${quoted(tensor.name)} bytes ${tensor.start} to ${tensor.end}`,
      );
    last = tensor;
  }
  return sorted;
}
