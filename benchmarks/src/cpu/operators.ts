// The operators that are timed by themselves, as shapes and kinds. Each runtime says how it does a kind, or that it cannot.

export type Operator =
  | {
      readonly kind: 'matmul';
      readonly rows: number;
      readonly depth: number;
      readonly columns: number;
      readonly weights: Weights;
    }
  | { readonly kind: 'softmax' | 'layerNorm' | 'gelu'; readonly rows: number; readonly columns: number }
  | {
      readonly kind: 'attention';
      readonly queries: number;
      readonly keys: number;
      readonly heads: number;
      readonly size: number;
    };

/** f32, or blocks of 32 numbers of so many bits with a scale. */
export type Weights = 'f32' | 'f16' | 'q8' | 'q4';

export interface OperatorCase {
  readonly name: string;
  readonly operator: Operator;
  /** Multiply-adds count as two. 0: the time counts, not a rate. */
  readonly operations: number;
}

const matmul = (rows: number, depth: number, columns: number, weights: Weights = 'f32'): OperatorCase => ({
  name: `matmul ${rows}×${depth}×${columns} ${weights}`,
  operator: { kind: 'matmul', rows, depth, columns, weights },
  operations: 2 * rows * depth * columns,
});
const rows = (kind: 'softmax' | 'layerNorm' | 'gelu', count: number, columns: number): OperatorCase => ({
  name: `${kind} ${count}×${columns}`,
  operator: { kind, rows: count, columns },
  operations: 0,
});
const attention = (queries: number, keys: number, heads: number, size: number): OperatorCase => ({
  name: `attention ${queries} over ${keys}, ${heads} heads of ${size}`,
  operator: { kind: 'attention', queries, keys, heads, size },
  operations: 0,
});

export const operatorCases: readonly OperatorCase[] = [
  matmul(64, 64, 64),
  matmul(256, 256, 256),
  matmul(512, 512, 512),
  matmul(1024, 1024, 1024),
  matmul(128, 384, 1536),
  matmul(4, 512, 2048),
  matmul(1, 576, 49152),
  matmul(1, 576, 1536),
  matmul(1, 576, 1536, 'f16'),
  matmul(1, 576, 1536, 'q8'),
  matmul(1, 576, 1536, 'q4'),
  matmul(1, 576, 49152, 'q8'),
  matmul(1, 576, 49152, 'q4'),
  matmul(128, 384, 1536, 'q8'),
  rows('softmax', 1536, 128),
  rows('layerNorm', 2048, 384),
  rows('gelu', 128, 1536),
  attention(128, 128, 12, 32),
  attention(1, 2048, 9, 64),
];
