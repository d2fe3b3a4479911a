// jax-js with its WebAssembly backend, every operator compiled by its jit.
import type { Operator } from '../cpu/operators.ts';
import { randomFloats } from '../random.ts';
import type { Runtime } from '../runtime.ts';
import { importPeer, peerVersion } from './installed.ts';

export interface JaxArray {
  readonly ref: JaxArray;
  reshape(shape: readonly number[]): JaxArray;
  data(): Promise<Float32Array>;
  dispose(): void;
}
export interface Jax {
  init(device: string): Promise<readonly string[]>;
  defaultDevice(device: string): void;
  jit(f: (...xs: JaxArray[]) => JaxArray): (...xs: JaxArray[]) => JaxArray;
  blockUntilReady(x: JaxArray): Promise<unknown>;
  readonly numpy: { array(data: Float32Array): JaxArray; matmul(a: JaxArray, b: JaxArray): JaxArray };
  readonly nn: {
    softmax(x: JaxArray, axis: number): JaxArray;
    standardize(x: JaxArray, axis: number, options: { epsilon: number }): JaxArray;
    gelu(x: JaxArray, options: { approximate: boolean }): JaxArray;
    dotProductAttention(q: JaxArray, k: JaxArray, v: JaxArray): JaxArray;
  };
}

/** On one thread: it knows the workers of pages only. */
export async function jax(): Promise<Runtime> {
  const js = await importPeer<Jax>('@jax-js/jax/dist/index.js');
  await js.init('wasm');
  js.defaultDevice('wasm');
  const array = (seed: number, ...shape: number[]): JaxArray =>
    js.numpy
      .array(
        randomFloats(
          seed,
          shape.reduce((a, b) => a * b, 1),
        ),
      )
      .reshape(shape);
  const prepare = (operator: Operator): [f: (...xs: JaxArray[]) => JaxArray, ...inputs: JaxArray[]] | undefined => {
    switch (operator.kind) {
      case 'matmul':
        if (operator.weights !== 'f32') return undefined;
        return [
          (x, w) => js.numpy.matmul(x, w),
          array(1, operator.rows, operator.depth),
          array(2, operator.depth, operator.columns),
        ];
      case 'softmax':
        return [(x) => js.nn.softmax(x, -1), array(1, operator.rows, operator.columns)];
      case 'layerNorm':
        return [(x) => js.nn.standardize(x, -1, { epsilon: 1e-12 }), array(1, operator.rows, operator.columns)];
      case 'gelu':
        return [(x) => js.nn.gelu(x, { approximate: false }), array(1, operator.rows, operator.columns)];
      case 'attention': {
        const { queries, keys, heads, size } = operator;
        const [q, k, v] = [array(1, queries, heads, size), array(2, keys, heads, size), array(3, keys, heads, size)];
        return [(a, b, c) => js.nn.dotProductAttention(a, b, c), q, k, v];
      }
      default:
        return operator satisfies never;
    }
  };
  return {
    name: 'jax-js (wasm)',
    version: peerVersion('@jax-js/jax'),
    async operator(operator) {
      const prepared = prepare(operator);
      if (!prepared) return undefined;
      const [f, ...inputs] = prepared;
      const compiled = js.jit(f);
      for (const input of inputs) await js.blockUntilReady(input.ref);
      return {
        run: () => compiled(...inputs.map((x) => x.ref)).data(),
        dispose: () => inputs.forEach((x) => x.dispose()),
      };
    },
  };
}
