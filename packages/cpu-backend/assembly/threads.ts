// How threads work on a program together. Steps that are worth it have as many parts as there are threads, fixed when the program is
// loaded, and everybody takes its own part first. Who comes late finds its part done by another: nobody waits for a thread that the
// system does not run, only for parts that somebody has begun. Which thread does a part changes no bits.
//
// What threads share lies at fixed addresses at the start of memory, one cache line each, and is known to `src/threads.ts`, which
// wakes everybody when a thread has failed.
import { kernel } from './index';
import { i32At, pointerAt, wordShift } from './words';

const doneAt: usize = 128; // parts of the run that are done; one thread's steps between shared ones count as one part
const doneSleepersAt: usize = 192;
const failedAt: usize = 256;
const generationAt: usize = 320; // counts runs that several threads may take part in
const generationSleepersAt: usize = 384;
const programAt: usize = 448; // what they run; 0 between runs
const insideAt: usize = 512; // helpers that may be looking at a program

// A program: this header, then its steps. Both are as long.
const blockBytes: usize = 8 << wordShift;
const stepsWord = 0;
const threadsWord = 1;
const totalWord = 2; // parts in all
const claimsWord = 3; // for each part a row of words, one for each shared step: the last run in which it was taken
const claimsStrideWord = 4; // bytes of a row
const runWord = 5; // which run this is

const kernelWord = 0;
const parametersWord = 1;
const partsWord = 2; // 1: the first thread does it all
const beforeWord = 3; // parts that have to be done before
const claimWord = 4; // which of the shared steps this is, in bytes

/** About 60 µs: longer than it takes to wake up, as long as a page needs between two tokens. */
const spins: i32 = 3000;

let maySleep: bool = true;
let drag: f64 = 1.0;

/** The main thread of a page must not sleep. */
export function setMaySleep(may: bool): void {
  maySleep = may;
}

/** Some 20 ns that leave the core's units to whoever shares it: WebAssembly has no instruction for that. */
function pause(): void {
  drag = sqrt(sqrt(sqrt(sqrt(drag + 1.0) + 1.0) + 1.0) + 1.0);
}

/** Has a thread failed? Then nothing holds anybody, and nothing that was computed counts. */
function failed(): bool {
  return atomic.load<i32>(failedAt) != 0;
}

/** Change a number and let go who waits for it. */
function advance(at: usize, sleepersAt: usize): void {
  atomic.add<i32>(at, 1);
  if (atomic.load<i32>(sleepersAt) != 0) atomic.notify(at, -1);
}

/** Wait until so many parts of a run are done. False if that run is over. */
function areDone(parts: i32, run: i32): bool {
  for (let i = 0; i < spins || !maySleep; i++) {
    if (atomic.load<i32>(doneAt) >= parts) return true;
    if (atomic.load<i32>(generationAt) != run) return false;
    pause();
  }
  atomic.add<i32>(doneSleepersAt, 1);
  let done = atomic.load<i32>(doneAt);
  while (done < parts && atomic.load<i32>(generationAt) == run) {
    atomic.wait<i32>(doneAt, done, -1);
    done = atomic.load<i32>(doneAt);
  }
  atomic.sub<i32>(doneSleepersAt, 1);
  return done >= parts;
}

/** Wait for the next run. */
function nextRun(run: i32): void {
  for (let i = 0; i < spins; i++) {
    if (atomic.load<i32>(generationAt) != run) return;
    pause();
  }
  atomic.add<i32>(generationSleepersAt, 1);
  while (atomic.load<i32>(generationAt) == run) atomic.wait<i32>(generationAt, run, -1);
  atomic.sub<i32>(generationSleepersAt, 1);
}

/** Is a part this thread's? Only a run that is later than the last one may take it. */
function take(claim: usize, run: i32): bool {
  const last = atomic.load<i32>(claim);
  return last - run < 0 && atomic.cmpxchg<i32>(claim, last, run) == last;
}

/** Do the own part of a step, and what nobody else has begun. */
function share(program: usize, step: usize, thread: i32, run: i32): void {
  const parts = i32At(step, partsWord);
  const claims = pointerAt(program, claimsWord) + pointerAt(step, claimWord);
  const stride = pointerAt(program, claimsStrideWord);
  for (let i = 0; i < parts; i++) {
    const part = (thread + i) % parts;
    if (!take(claims + <usize>part * stride, run)) continue;
    kernel(i32At(step, kernelWord), pointerAt(step, parametersWord), part, parts);
    advance(doneAt, doneSleepersAt);
  }
}

/** The first thread's way through a program. */
function lead(program: usize, run: i32): void {
  let alone = false; // have steps been done that others know nothing of?
  let step = program + blockBytes;
  for (let left = i32At(program, stepsWord); left > 0; left--) {
    const isShared = i32At(step, partsWord) > 1;
    if (isShared && alone) {
      advance(doneAt, doneSleepersAt);
      alone = false;
    }
    if (!alone && !areDone(i32At(step, beforeWord), run)) return;
    if (failed()) return;
    if (isShared) share(program, step, 0, run);
    else {
      kernel(i32At(step, kernelWord), pointerAt(step, parametersWord), 0, 1);
      alone = true;
    }
    step += blockBytes;
  }
  areDone(i32At(program, totalWord), run);
}

/** Everybody else's: the shared steps that are not done yet. */
function help(program: usize, thread: i32): void {
  const run = atomic.load<i32>(program + ((<usize>runWord) << wordShift));
  let step = program + blockBytes;
  for (let left = i32At(program, stepsWord); left > 0; left--) {
    const parts = i32At(step, partsWord);
    const before = i32At(step, beforeWord);
    if (parts > 1 && atomic.load<i32>(doneAt) < before + parts) {
      if (!areDone(before, run) || failed()) return;
      share(program, step, thread, run);
    }
    step += blockBytes;
  }
}

/** Replay a program. */
export function run(program: usize): void {
  if (ASC_FEATURE_THREADS) {
    if (i32At(program, threadsWord) > 1) {
      const run = atomic.load<i32>(generationAt) + 1;
      atomic.store<i32>(doneAt, 0);
      atomic.store<i32>(program + ((<usize>runWord) << wordShift), run);
      atomic.store<usize>(programAt, program);
      advance(generationAt, generationSleepersAt);
      lead(program, run);
      atomic.store<usize>(programAt, 0);
      return;
    }
  }
  let step = program + blockBytes;
  for (let left = i32At(program, stepsWord); left > 0; left--) {
    kernel(i32At(step, kernelWord), pointerAt(step, parametersWord), 0, 1);
    step += blockBytes;
  }
}

/** The life of any other thread: take part in runs until one fails. */
export function work(thread: i32): void {
  if (!ASC_FEATURE_THREADS) return;
  let seen = 0;
  while (!failed()) {
    nextRun(seen);
    seen = atomic.load<i32>(generationAt);
    atomic.add<i32>(insideAt, 1);
    const program = atomic.load<usize>(programAt);
    if (program != 0) help(program, thread);
    atomic.sub<i32>(insideAt, 1);
  }
}
