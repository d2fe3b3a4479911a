// Reading parameter blocks. A kernel's parameters are 32-bit words in memory, written once when a program is loaded;
// `src/kernels/NAME.ts` writes them in the order in which the kernel of the same name reads them.

export function i32At(block: usize, word: i32): i32 {
  return load<i32>(block + ((<usize>word) << 2));
}

export function f32At(block: usize, word: i32): f32 {
  return load<f32>(block + ((<usize>word) << 2));
}

export function pointerAt(block: usize, word: i32): usize {
  return <usize>load<u32>(block + ((<usize>word) << 2));
}

/** Where the share of a thread begins when `total` units are divided among all: shares differ by one unit at most. */
export function shareStart(total: i32, thread: i32, threads: i32): i32 {
  return <i32>((<i64>total * thread) / threads);
}
