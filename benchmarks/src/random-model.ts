// A model of any shape with weights made from a seed: a folder that exists only while it is read. Speed does not depend on what
// the weights are, as long as no number becomes huge or subnormal.
import type { Files } from '@transept/checkpoint';
import { createModel, parametersOf } from '@transept/models';
import type { Json } from '@transept/models';
import { elements, shapeInCheckpoint } from '@transept/tensor';
import type { Shape } from '@transept/tensor';
import { noise } from './random.ts';

interface Entry {
  readonly shape: Shape;
  readonly start: number;
  readonly seed: number;
}

/** The files of a model: config.json and model.safetensors, the latter made as it is read. */
export function randomModel(name: string, config: Json): Files {
  const parts = new Map<string, Shape>();
  for (const { source } of parametersOf(createModel(config)))
    if ('parts' in source) for (const part of source.parts) parts.set(part.name, shapeInCheckpoint(part));
  const entries: Entry[] = [];
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [tensor, shape] of parts) {
    const start = end;
    end += elements(shape) * 4;
    header[tensor] = { dtype: 'F32', shape, data_offsets: [start, end] };
    entries.push({ shape, start, seed: entries.length + 1 });
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + text.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true);
  head.set(text, 8);
  const json = new TextEncoder().encode(JSON.stringify(config));

  /** Weights from a byte on, into `out`. Tensors and reads begin at whole elements. */
  const fill = (out: Float32Array, from: number): void => {
    for (const { shape, start, seed } of entries) {
      const count = elements(shape);
      const first = Math.max(0, (from - start) / 4);
      const last = Math.min(count, (from - start) / 4 + out.length);
      const isNorm = shape.length === 1;
      const spread = Math.sqrt(3 / shape.at(-1)!);
      for (let i = first; i < last; i++) out[i - (from - start) / 4] = isNorm ? 1 : noise(seed, i) * spread;
    }
  };
  const bytesOf = (path: string, from: number, to: number): Uint8Array<ArrayBuffer> => {
    if (path === 'config.json') return new Uint8Array(json.slice(from, to));
    const out = new Uint8Array(to - from);
    if (from < head.length) out.set(head.subarray(from, to));
    const firstWeight = Math.max(from, head.length) - head.length;
    const floor = firstWeight - (firstWeight % 4);
    const weights = new Float32Array(Math.ceil(Math.max(0, to - head.length - floor) / 4));
    fill(weights, floor);
    const made = new Uint8Array(weights.buffer, firstWeight - floor, Math.max(0, to - head.length - firstWeight));
    out.set(made, firstWeight + head.length - from);
    return out;
  };
  const sizes = new Map([
    ['config.json', json.length],
    ['model.safetensors', head.length + end],
  ]);
  return {
    name: `random ${name}`,
    has: async (path) => sizes.has(path),
    size: async (path) => sizes.get(path)!,
    read: async (path, { start = 0, end: stop = sizes.get(path)! } = {}) => bytesOf(path, start, stop),
  };
}
