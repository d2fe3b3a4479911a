// TensorFlow.js with its WebAssembly backend.
import { createRequire } from 'node:module';
import type { Operator } from '../cpu/operators.ts';
import { randomFloats } from '../random.ts';
import type { Runtime } from '../runtime.ts';
import { peerPath, peerVersion } from './installed.ts';

export interface TfTensor {
  data(): Promise<Float32Array>;
  dispose(): void;
}
export interface Tf {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  tidy(f: () => TfTensor): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  softmax(x: TfTensor): TfTensor;
  mean(x: TfTensor, axis: number, keepDims: boolean): TfTensor;
  transpose(x: TfTensor, perm: readonly number[]): TfTensor;
  mul(a: TfTensor, b: TfTensor | number): TfTensor;
  add(a: TfTensor, b: TfTensor | number): TfTensor;
  sub(a: TfTensor, b: TfTensor): TfTensor;
  square(x: TfTensor): TfTensor;
  rsqrt(x: TfTensor): TfTensor;
  erf(x: TfTensor): TfTensor;
}

export async function tfjs(threads: number): Promise<Runtime> {
  const require = createRequire(peerPath('package.json'));
  const tf = require('@tensorflow/tfjs-core') as Tf;
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setThreadsCount(n: number): void };
  wasm.setThreadsCount(threads);
  await tf.setBackend('wasm');
  await tf.ready();
  const tensor = (seed: number, ...shape: number[]): TfTensor =>
    tf.tensor(
      randomFloats(
        seed,
        shape.reduce((a, b) => a * b, 1),
      ),
      shape,
    );
  const prepare = (operator: Operator): (() => TfTensor) | undefined => {
    if (operator.kind === 'matmul') {
      if (operator.weights !== 'f32') return undefined;
      const [x, w] = [tensor(1, operator.rows, operator.depth), tensor(2, operator.depth, operator.columns)];
      return () => tf.matMul(x, w);
    }
    if (operator.kind === 'attention') {
      const { queries, keys, heads, size } = operator;
      const [q, k, v] = [tensor(1, queries, heads, size), tensor(2, keys, heads, size), tensor(3, keys, heads, size)];
      const byHead = (x: TfTensor): TfTensor => tf.transpose(x, [1, 0, 2]);
      return () => {
        const scores = tf.mul(tf.matMul(byHead(q), byHead(k), false, true), 1 / Math.sqrt(size));
        return byHead(tf.matMul(tf.softmax(scores), byHead(v)));
      };
    }
    const x = tensor(1, operator.rows, operator.columns);
    if (operator.kind === 'softmax') return () => tf.softmax(x);
    if (operator.kind === 'gelu') return () => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
    return () => {
      const centred = tf.sub(x, tf.mean(x, -1, true));
      return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-12)));
    };
  };
  return {
    name: 'tfjs (wasm)',
    version: peerVersion('@tensorflow/tfjs-core'),
    async operator(operator) {
      const f = prepare(operator);
      if (!f) return undefined;
      return {
        async run() {
          const y = tf.tidy(f);
          await y.data();
          y.dispose();
        },
      };
    },
  };
}
