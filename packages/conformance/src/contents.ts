// What the bound buffers of a case hold before its first run.
import { bytesPer, computeType, elements } from '@transept/tensor';
import type { PlannedBuffer, TracedGraph } from '@transept/tensor';
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
    const { name, dtype, shape } = buffer;
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
