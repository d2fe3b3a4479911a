// What JavaScript calls: `run` replays a program on the calling thread and wakes the others, which sit in `work`. A program is
// {steps, threads, …} followed by steps {kernel, parameters, mode}; kernels are numbered as in `src/step.ts`.
import { argmax } from './argmax';
import { attention } from './attention';
import { advance, barrier, failed, setMaySleep, waitWhile } from './barrier';
import { copy } from './copy';
import { gather } from './gather';
import { matmul, packParameter } from './matmul';
import { norm } from './norm';
import { pointwise } from './pointwise';
import { quantizedMatmul } from './quantized';
import { reduce } from './reduce';
import { rope } from './rope';
import { scatter } from './scatter';
import { softmax } from './softmax';
import { i32At, pointerAt } from './words';

const generationAt: usize = 320; // counts runs that several threads take part in
const generationSleepersAt: usize = 384;
const programAt: usize = 448; // what they run; 0 tells them to leave
const headerBytes: usize = 16;
const stepBytes: usize = 16;
const shared = 1; // mode: every thread does its share of the step; otherwise the first thread does it all
const afterBarrier = 2; // mode: all threads have finished what came before

function kernel(number: i32, params: usize, thread: i32, threads: i32): void {
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
    default:
      unreachable();
  }
}

function walk(program: usize, from: i32, to: i32, thread: i32, threads: i32): void {
  let step = program + headerBytes + <usize>from * stepBytes;
  for (; from < to; from++) {
    const mode = i32At(step, 2);
    if (threads > 1 && (mode & afterBarrier) != 0) {
      barrier(threads);
      if (failed()) return;
    }
    if (mode & shared) kernel(i32At(step, 0), pointerAt(step, 1), thread, threads);
    else if (thread == 0) kernel(i32At(step, 0), pointerAt(step, 1), 0, 1);
    step += stepBytes;
  }
  if (threads > 1) barrier(threads);
}

/** Replay a program. */
export function run(program: usize): void {
  const threads = i32At(program, 1);
  if (ASC_FEATURE_THREADS) {
    if (threads > 1) {
      atomic.store<u32>(programAt, <u32>program);
      advance(generationAt, generationSleepersAt);
    }
  }
  walk(program, 0, i32At(program, 0), 0, threads);
}

/** Replay some steps of a program on this thread alone. */
export function runSteps(program: usize, from: i32, to: i32): void {
  walk(program, from, to, 0, 1);
}

/** The life of any other thread: take part in runs until there is no program. */
export function work(thread: i32): void {
  if (!ASC_FEATURE_THREADS) return;
  let generation = 0;
  while (true) {
    waitWhile(generationAt, generation, generationSleepersAt);
    generation++;
    const program = <usize>atomic.load<u32>(programAt);
    if (program == 0 || failed()) return;
    walk(program, 0, i32At(program, 0), thread, i32At(program, 1));
    if (failed()) return;
  }
}

export { setMaySleep };
