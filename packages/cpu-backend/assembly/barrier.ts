// How threads wait for each other. All of it lies at fixed addresses at the start of memory, one cache line each, and is known to
// `src/threads.ts`, which wakes everybody when a thread has failed. Waiting spins for a bounded time, then sleeps, unless this
// is a thread that must not sleep (the main thread of a page).

const arrivedAt: usize = 64;
const barrierAt: usize = 128; // counts barriers passed
const barrierSleepersAt: usize = 192;
const failedAt: usize = 256;
const spins: i32 = 20000;

let maySleep: bool = true;

export function setMaySleep(may: bool): void {
  maySleep = may;
}

/** Has a thread failed? Then barriers do not hold anybody, and nothing that was computed counts. */
export function failed(): bool {
  return ASC_FEATURE_THREADS ? atomic.load<i32>(failedAt) != 0 : false;
}

/** Wait until the number at `at` is no longer `value`; who changes it notifies when there are sleepers. */
export function waitWhile(at: usize, value: i32, sleepersAt: usize): void {
  if (!ASC_FEATURE_THREADS) return;
  for (let i = 0; i < spins; i++) if (atomic.load<i32>(at) != value) return;
  if (!maySleep) {
    while (atomic.load<i32>(at) == value) {}
    return;
  }
  atomic.add<i32>(sleepersAt, 1);
  while (atomic.load<i32>(at) == value) atomic.wait<i32>(at, value, -1);
  atomic.sub<i32>(sleepersAt, 1);
}

/** Let go everybody who waits for the number at `at`. */
export function advance(at: usize, sleepersAt: usize): void {
  if (!ASC_FEATURE_THREADS) return;
  atomic.add<i32>(at, 1);
  if (atomic.load<i32>(sleepersAt) != 0) atomic.notify(at, -1);
}

/** Wait until all threads have come here. */
export function barrier(threads: i32): void {
  if (!ASC_FEATURE_THREADS) return;
  const passed = atomic.load<i32>(barrierAt);
  if (atomic.add<i32>(arrivedAt, 1) == threads - 1) {
    atomic.store<i32>(arrivedAt, 0);
    advance(barrierAt, barrierSleepersAt);
  } else if (!failed()) waitWhile(barrierAt, passed, barrierSleepersAt);
}
