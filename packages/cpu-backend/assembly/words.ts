// Reading blocks of words: parameters, written once when a program is loaded, in the order in which `src/kernels/NAME.ts` writes them,
// and what kernels note for themselves. A word is as wide as an address: 32 bits, or 64 where memory is larger than 4 GiB.

/** log2 of the bytes of a word. */
export const wordShift: usize = alignof<usize>();

export function i32At(block: usize, word: i32): i32 {
  return load<i32>(block + ((<usize>word) << wordShift));
}

export function f32At(block: usize, word: i32): f32 {
  return load<f32>(block + ((<usize>word) << wordShift));
}

export function pointerAt(block: usize, word: i32): usize {
  return load<usize>(block + ((<usize>word) << wordShift));
}

/** Where the share of a thread begins when `total` units are divided among all: shares differ by one unit at most. */
export function shareStart(total: i32, thread: i32, threads: i32): i32 {
  return <i32>((<i64>total * thread) / threads);
}
