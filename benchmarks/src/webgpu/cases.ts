// What runs on WebGPU: shapes of well-known models, few tokens, because a CPU may play the GPU.
import type { Task } from '../cpu/models.ts';

export interface GpuCase {
  readonly name: string;
  readonly task: Task;
}

const one = (name: string, model: Task['model'], weights: Task['weights'], own: Partial<Task>): GpuCase => ({
  name: `${name} ${weights}`,
  task: { model, weights, rows: 1, length: 12, tokens: 32, beams: 1, ...own },
});

const translators = (['f32', 'q8', 'q4'] as const).map((weights) => one('translator', 'translator', weights, {}));
const after = (length: number, tokens: number): GpuCase[] =>
  (['f32', 'f16', 'q8', 'q4'] as const).map((weights) =>
    one(`smollm after ${length}`, 'smollm', weights, { length, tokens }),
  );

export const gpuCases: readonly GpuCase[] = [
  ...translators,
  one('minilm 1×128', 'minilm', 'f32', { length: 128, tokens: 0 }),
  one('minilm 16×128', 'minilm', 'f32', { rows: 16, length: 128, tokens: 0 }),
  ...after(16, 16),
  ...after(1024, 8),
];
