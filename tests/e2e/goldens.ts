// The golden values of a fixture folder: golden.json says which calls were made, golden.safetensors holds inputs and outputs.
import { fileURLToPath } from 'node:url';
import { folder, openCheckpoint, readJson } from '@transept/checkpoint';
import type { Checkpoint, Files } from '@transept/checkpoint';

const root = new URL('../../', import.meta.url);

/** A folder of the repository. */
export const repository = (path: string): Files => folder(fileURLToPath(new URL(path, root)));

export interface GoldenCall {
  readonly name: string;
  readonly kind: 'forward' | 'generate';
  readonly args: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string | readonly string[]>>;
}

export interface Goldens {
  readonly calls: readonly GoldenCall[];
  readonly arrays: Checkpoint;
  /** An integer array as rows. */
  rows(name: string): Promise<Int32Array[]>;
  floats(name: string): Promise<Float32Array>;
}

export async function readGoldens(path: string): Promise<Goldens> {
  const files = repository(path);
  const { calls } = await readJson(files, 'golden.json');
  const arrays = await openCheckpoint(files, { file: 'golden.safetensors' });
  return {
    calls: calls as GoldenCall[],
    arrays,
    async rows(name) {
      const [count, length] = arrays.find(name).shape as [number, number];
      const all = await arrays.read(name, { as: 'i32' });
      return Array.from({ length: count }, (_, i) => all.subarray(i * length, (i + 1) * length));
    },
    floats: (name) => arrays.read(name, { as: 'f32' }),
  };
}
