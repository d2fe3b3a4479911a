// What JavaScript calls: `run` replays a program on the calling thread and the others, which sit in `work` (threads.ts). Kernels are
// numbered as in `src/step.ts`.
import { argmax } from './argmax';
import { attention } from './attention';
import { copy } from './copy';
import { crossEntropy } from './cross-entropy';
import { gather } from './gather';
import { matmul, packParameter } from './matmul';
import { norm } from './norm';
import { pointwise } from './pointwise';
import { quantizedMatmul } from './quantized';
import { reduce } from './reduce';
import { rope } from './rope';
import { scatter } from './scatter';
import { softmax } from './softmax';

/** Do the share of a thread of a step. */
export function kernel(number: i32, params: usize, thread: i32, threads: i32): void {
  switch (number) {
    case 0:
      return pointwise(params, thread, threads);
    case 1:
      return reduce(params, thread, threads);
    case 2:
      return matmul(params, thread, threads);
    case 3:
      return gather(params, thread, threads);
    case 4:
      return scatter(params, thread, threads);
    case 5:
      return copy(params, thread, threads);
    case 6:
      return packParameter(params, thread, threads);
    case 7:
      return softmax(params, thread, threads);
    case 8:
      return norm(params, thread, threads);
    case 9:
      return argmax(params, thread, threads);
    case 10:
      return rope(params, thread, threads);
    case 11:
      return attention(params, thread, threads);
    case 12:
      return quantizedMatmul(params, thread, threads);
    case 13:
      return crossEntropy(params, thread, threads);
    default:
      unreachable();
  }
}

export { run, setMaySleep, work } from './threads';
