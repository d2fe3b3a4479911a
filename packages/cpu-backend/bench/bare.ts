// What the processor can do at most, as the engine compiles it: multiply-adds that wait for nothing but themselves, of f32 and of pairs of
// 16-bit numbers, and reading memory from one end to the other. Three functions, assembled here.

const leb = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)]);
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content];
const simd = (op: number): number[] => [0xfd, ...leb(op)];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const v128 = 0x7b;
const i32 = 0x7f;
const relaxedMadd = simd(0x105);
const dotPairs = simd(0xba);
const addIntegers = simd(0xae);
const xor = simd(0x51);
const load = (offset: number): number[] => [...simd(0), 4, ...leb(offset)];

// As many as matmul's tiles have.
const sums = 12;
const integerSums = 10;
const streams = 8;

/** A function (count, address) → i32 of some v128 locals from 2 on: a loop of `body`, then all of the locals into one number. */
function repeat(locals: number, body: readonly number[], step: readonly number[]): number[] {
  const code = [
    ...leb(1),
    ...leb(locals),
    v128,
    ...range(locals).flatMap((i) => [...get(0), ...simd(0x11), ...set(2 + i)]), // i32x4.splat(count)
    ...[0x03, 0x40], // loop
    ...body,
    ...step,
    ...[...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0], // count − 1, again while it is not 0
    0x0b,
    ...get(2),
    ...range(locals - 1).flatMap((i) => [...get(3 + i), ...xor]),
    ...[...simd(0x1b), 0], // i32x4.extract_lane 0
    0x0b,
  ];
  return [...leb(code.length), ...code];
}

const name = (text: string): number[] => [text.length, ...[...text].map((c) => c.charCodeAt(0))];
const functions = [
  repeat(
    sums + 1,
    range(sums).flatMap((i) => [...get(2 + i), ...get(2 + sums), ...get(2 + sums), ...relaxedMadd, ...set(2 + i)]),
    [],
  ),
  repeat(
    integerSums + 1,
    range(integerSums).flatMap((i) => [
      ...[...get(2 + i), ...get(2 + integerSums), ...dotPairs],
      ...[...get(2 + integerSums), ...addIntegers, ...set(2 + i)],
    ]),
    [],
  ),
  repeat(
    streams,
    range(streams).flatMap((i) => [...get(1), ...load(i * 16), ...get(2 + i), ...xor, ...set(2 + i)]),
    [...get(1), 0x41, ...[0x80, 0x01], 0x6a, ...set(1)], // address + 128
  ),
];

const memory = new WebAssembly.Memory({ initial: 2048 });
new Uint8Array(memory.buffer).fill(1); // pages that nobody has written are all the same one
const module = new Uint8Array([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 2, i32, i32, 1, i32]),
  ...section(2, [1, ...name('e'), ...name('m'), 2, 0, 1]),
  ...section(3, [3, 0, 0, 0]),
  ...section(7, [3, ...name('add'), 0, 0, ...name('dot'), 0, 1, ...name('read'), 0, 2]),
  ...section(10, [functions.length, ...functions.flat()]),
]);
const { instance } = await WebAssembly.instantiate(module, { e: { m: memory } });
const { add, dot, read } = instance.exports as Record<
  'add' | 'dot' | 'read',
  (count: number, address: number) => number
>;

/** A million turns of multiply-adds, and how many operations they are. */
export const bareAdd = { run: (): number => add(1_000_000, 0), flop: 1_000_000 * sums * 4 * 2 };

/** The same of pairs of whole numbers: two multiplications and two additions a lane. */
export const bareDot = { run: (): number => dot(1_000_000, 0), flop: 1_000_000 * integerSums * 8 * 2 };

/** Reading some bytes, at most 128 MB, once. */
export const bareRead = (bytes: number) => ({ run: (): number => read(Math.floor(bytes / 128), 0), bytes });
