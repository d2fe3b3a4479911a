// What the bound buffers of a case hold before its first run.
import { bytesPer, computeType, elements, storageBlock } from '@transept/tensor';
import type { PlannedBuffer, Storage, TracedGraph } from '@transept/tensor';
import type { OpCase } from './case.ts';
import { newElements } from './fence.ts';
import type { TypedArray } from './fence.ts';
import { integers, Random, seedOf, uniform } from './random.ts';

/** The elements of inputs, parameters and states of a plan, by name: as the case has them, or at random. */
export function contentsOf(
  c: OpCase,
  { graph }: TracedGraph,
  buffers: readonly PlannedBuffer[],
  seed: number,
): Map<string, TypedArray> {
  const contents = new Map<string, TypedArray>();
  for (const buffer of buffers) {
    if (buffer.kind !== 'bound' || buffer.role === 'output') continue;
    const { name, dtype, shape, stored } = buffer;
    if (stored) {
      contents.set(name, someBlocks(stored, buffer.bytes, new Random(seedOf(seed, c.op, c.name, name))));
      continue;
    }
    const source = graph.parameters.get(name)?.source;
    const constant = source && 'values' in source ? (source.values as Float32Array | Int32Array) : undefined;
    const given =
      constant ??
      c.contents?.[name] ??
      (computeType(dtype) === 'f32' ? uniform(-1, 1) : integers(dtype === 'u32' || dtype === 'u8' ? 0 : -9, 9));
    const values = newElements(dtype, Math.ceil((elements(shape) * bytesPer[dtype]) / 4) * (4 / bytesPer[dtype]));
    const random = new Random(seedOf(seed, c.op, c.name, name));
    for (let i = 0; i < elements(shape); i++) values[i] = typeof given === 'function' ? given(random, i) : given[i]!;
    contents.set(name, values);
  }
  return contents;
}

/** Blocks of any numbers, with scales of either sign between 2⁻⁸ and 2⁻⁴; values of that size where each stands for itself. */
function someBlocks(stored: Storage, bytes: number, random: Random): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(bytes).map(() => random.integer(0, 255));
  const { bytes: block } = storageBlock[stored];
  for (let at = 0; at + block <= bytes; at += block) {
    const half =
      (random.integer(0, 1) << 15) |
      (stored === 'bf16' ? random.integer(0x3b80, 0x3d7f) : random.integer(0x1c00, 0x2bff));
    all.set([half & 255, half >> 8], at);
  }
  return all;
}
