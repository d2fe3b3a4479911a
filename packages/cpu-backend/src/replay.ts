// A program as WebAssembly walks it (`assembly/threads.ts`): a header and steps of equal length, and beside them, for every thread, the
// words by which parts of shared steps are taken.

/** Words of the header, and of a step. */
export const stepWords = 8;

/** What one thread's words by which it takes a single step are apart from another's: a cache line. */
export const claimBytes = 64;

export interface ReplayStep {
  readonly kernel: number;
  readonly parameters: number;
  /** 1: the first thread does it all. */
  readonly parts: number;
}

/** The words of a program. `allocate` gives the address of so many zero bytes, which live as long as it. */
export function writeProgram(steps: readonly ReplayStep[], allocate: (bytes: number) => number): number[] {
  const shared = steps.filter(({ parts }) => parts > 1).length;
  const threads = Math.max(1, ...steps.map(({ parts }) => parts));
  const stride = Math.ceil((shared * 4) / claimBytes) * claimBytes;
  const claims = shared > 0 ? allocate(threads * stride) : 0;
  let done = 0;
  let claim = 0;
  let alone = false;
  const written = steps.map(({ kernel, parameters, parts }) => {
    // Steps of one thread in a row count as one part.
    if (parts > 1 && alone) done++;
    alone = parts === 1;
    const words = [kernel, parameters, parts, done, claim, 0, 0, 0];
    if (parts > 1) {
      done += parts;
      claim += 4;
    }
    return words;
  });
  return [steps.length, threads, done, claims, stride, 0, 0, 0, ...written.flat()];
}
