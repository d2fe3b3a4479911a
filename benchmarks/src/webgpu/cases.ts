// What runs on WebGPU: shapes of well-known models, few tokens, because a CPU may play the GPU.
import type { Task } from '../cpu/models.ts';
import type { GpuOperator } from './page/operators.ts';

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

export interface GpuOperatorCase {
  readonly name: string;
  readonly operator: GpuOperator;
}

const matmul = (rows: number, depth: number, columns: number): GpuOperatorCase => ({
  name: `matmul ${rows}×${depth}×${columns}`,
  operator: { kind: 'matmul', rows, depth, columns },
});

export const gpuOperatorCases: readonly GpuOperatorCase[] = [
  matmul(512, 512, 512),
  matmul(128, 384, 1536),
  matmul(1, 576, 1536),
  { name: 'softmax 1536×128', operator: { kind: 'softmax', rows: 1536, columns: 128 } },
  {
    name: 'attention 128 over 128, 12 heads of 32',
    operator: { kind: 'attention', length: 128, heads: 12, size: 32 },
  },
];

export const gpuCases: readonly GpuCase[] = [
  ...translators,
  one('minilm 1×128', 'minilm', 'f32', { length: 128, tokens: 0 }),
  one('minilm 16×128', 'minilm', 'f32', { rows: 16, length: 128, tokens: 0 }),
  ...after(16, 16),
  ...after(1024, 8),
];
