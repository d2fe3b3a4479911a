// Operators by themselves, on the runtimes that have no whole models: TensorFlow.js and jax-js with their WebGPU backends, and ours.
// A run ends when the result lies in JavaScript.
import { attention, linear, lower, softmax, trace } from '@transept/tensor';
import type { Graph, Tensor } from '@transept/tensor';
import { webgpu } from '@transept/webgpu-backend';
import type { Jax, JaxArray } from '../../peers/jax.ts';
import type { Tf, TfTensor } from '../../peers/tfjs.ts';
import { randomFloats } from '../../random.ts';

export type GpuOperator =
  | { readonly kind: 'matmul'; readonly rows: number; readonly depth: number; readonly columns: number }
  | { readonly kind: 'softmax'; readonly rows: number; readonly columns: number }
  | { readonly kind: 'attention'; readonly length: number; readonly heads: number; readonly size: number };

export type Run = () => Promise<unknown>;
export type Maker = (operator: GpuOperator) => Promise<Run>;

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Shapes of the inputs. */
function inputsOf(operator: GpuOperator): (readonly number[])[] {
  switch (operator.kind) {
    case 'matmul':
      return [
        [operator.rows, operator.depth],
        [operator.depth, operator.columns],
      ];
    case 'softmax':
      return [[operator.rows, operator.columns]];
    case 'attention':
      return new Array<readonly number[]>(3).fill([operator.length, operator.heads, operator.size]);
    default:
      return operator satisfies never;
  }
}

export async function transept(): Promise<Maker> {
  const backend = await webgpu();
  const build = (g: Graph, operator: GpuOperator): Tensor => {
    switch (operator.kind) {
      case 'matmul':
        return linear(
          g.input('x0', [operator.rows, operator.depth]),
          g.parameter('x1', [operator.columns, operator.depth]),
        );
      case 'softmax':
        return softmax(g.input('x0', [operator.rows, operator.columns]));
      case 'attention': {
        const { length, heads, size } = operator;
        const [q, k, v] = ['x0', 'x1', 'x2'].map((name) => g.input(name, [1, length, heads, size]));
        return attention(q!, k!, v!, { scale: 1 / Math.sqrt(size) });
      }
      default:
        return operator satisfies never;
    }
  };
  return async (operator) => {
    const plan = lower(
      trace(operator.kind, (g) => ({ y: build(g, operator) })),
      backend,
      { readback: ['y'] },
    );
    const buffers = Object.fromEntries(
      plan.buffers.flatMap((b) => (b.kind === 'bound' ? [[b.name, backend.alloc(b.bytes)] as const] : [])),
    );
    inputsOf(operator).forEach((shape, i) => backend.write(buffers[`x${i}`]!, randomFloats(i + 1, count(shape))));
    const program = await backend.load(plan, buffers);
    return () => {
      program.run();
      return program.read('y');
    };
  };
}

export async function tfjs(): Promise<Maker> {
  const [core, backend] = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu'];
  const tf = (await import(core!)) as Tf;
  await import(backend!);
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs: its WebGPU backend does not start');
  await tf.ready();
  const compute = (operator: GpuOperator, [a, b, c]: readonly TfTensor[]): TfTensor => {
    if (operator.kind === 'matmul') return tf.matMul(a!, b!);
    if (operator.kind === 'softmax') return tf.softmax(a!);
    const byHead = (x: TfTensor): TfTensor => tf.transpose(x, [1, 0, 2]);
    const scores = tf.mul(tf.matMul(byHead(a!), byHead(b!), false, true), 1 / Math.sqrt(operator.size));
    return byHead(tf.matMul(tf.softmax(scores), byHead(c!)));
  };
  return async (operator) => {
    const inputs = inputsOf(operator).map((shape, i) => tf.tensor(randomFloats(i + 1, count(shape)), shape));
    return async () => {
      const y = tf.tidy(() => compute(operator, inputs));
      await y.data();
      y.dispose();
    };
  };
}

export async function jax(): Promise<Maker> {
  const name = '@jax-js/jax';
  const js = (await import(name)) as Jax;
  await js.init('webgpu');
  js.defaultDevice('webgpu');
  const functions = {
    matmul: (a: JaxArray, b: JaxArray) => js.numpy.matmul(a, b),
    softmax: (a: JaxArray) => js.nn.softmax(a, -1),
    attention: (a: JaxArray, b: JaxArray, c: JaxArray) => js.nn.dotProductAttention(a, b, c),
  };
  return async (operator) => {
    const inputs = inputsOf(operator).map((shape, i) =>
      js.numpy.array(randomFloats(i + 1, count(shape))).reshape(shape),
    );
    const compiled = js.jit(functions[operator.kind] as (...xs: JaxArray[]) => JaxArray);
    return () => compiled(...inputs.map((x) => x.ref)).data();
  };
}
