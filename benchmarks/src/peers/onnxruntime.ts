// onnxruntime: as WebAssembly (the engine of transformers.js in pages) and native (for orientation).
import type { Operator } from '../cpu/operators.ts';
import { OnnxGraph } from '../onnx.ts';
import { randomFloats } from '../random.ts';
import type { Runtime } from '../runtime.ts';
import { importPeer, peerVersion } from './installed.ts';

interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: ArrayLike<number> }>>;
  release(): Promise<void>;
}
interface Ort {
  readonly env: { wasm: { numThreads?: number; wasmPaths?: unknown } };
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown;
}

export async function onnxruntimeWeb(threads: number): Promise<Runtime> {
  const ort = await importPeer<Ort>('onnxruntime-web/dist/ort.node.min.mjs');
  ort.env.wasm.numThreads = threads;
  return runtime(
    `onnxruntime-web (wasm)`,
    peerVersion('onnxruntime-web'),
    ort,
    { executionProviders: ['wasm'] },
    false,
  );
}

export async function onnxruntimeNode(threads: number): Promise<Runtime> {
  const ort = await importPeer<Ort>('onnxruntime-node/dist/index.js');
  const options = { executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 };
  return runtime('onnxruntime (native)', peerVersion('onnxruntime-node'), ort, options, true);
}

function runtime(
  name: string,
  version: string,
  module: Ort | { default: Ort },
  options: object,
  elsewhere: boolean,
): Runtime {
  const ort = 'default' in module ? module.default : module;
  return {
    name,
    version,
    async operator(operator) {
      const model = modelOf(operator);
      if (!model) return undefined;
      const session = await ort.InferenceSession.create(model.bytes, options);
      // It leaves a Worker behind, by which others would take themselves to be in a page.
      Reflect.deleteProperty(globalThis, 'Worker');
      const feeds = Object.fromEntries(
        Object.entries(model.inputs).map(([input, shape], i) => [
          input,
          new ort.Tensor(
            'float32',
            randomFloats(
              i + 1,
              shape.reduce((a, b) => a * b, 1),
            ),
            shape,
          ),
        ]),
      );
      return {
        run: async () => (await session.run(feeds))['y']!.data,
        elsewhere,
        dispose: () => void session.release(),
      };
    },
  };
}

interface Model {
  readonly bytes: Uint8Array;
  readonly inputs: Readonly<Record<string, readonly number[]>>;
}

function modelOf(operator: Operator): Model | undefined {
  const g = new OnnxGraph();
  const floats = (seed: number, shape: readonly number[]): string =>
    g.constant({
      type: 'f32',
      shape,
      data: randomFloats(
        seed,
        shape.reduce((a, b) => a * b, 1),
        0.1,
      ),
    });
  if (operator.kind === 'matmul') {
    const { rows, depth, columns, weights } = operator;
    const x = g.input('x', [rows, depth]);
    const y = [rows, columns];
    const end = (value: string): Model => ({ bytes: g.end(value, y), inputs: { x: [rows, depth] } });
    if (weights === 'f32') return end(g.op('MatMul', [x, floats(2, [depth, columns])]));
    if (weights === 'f16') return undefined;
    const numbers = (count: number): Uint8Array => new Uint8Array(count).map((_, i) => (i * 2654435761) >>> 24);
    if (weights === 'q8') {
      // As transformers.js' q8 models have it: one scale for a column, activations quantised as they come.
      const w = g.constant({ type: 'i8', shape: [depth, columns], data: numbers(depth * columns) });
      const scale = g.constant({ type: 'f32', shape: [columns], data: new Float32Array(columns).fill(0.001) });
      return end(g.op('DynamicQuantizeMatMul', [x, w, scale], {}, 'com.microsoft'));
    }
    const blocks = depth / 32;
    const w = g.constant({ type: 'u8', shape: [columns, blocks, 16], data: numbers(columns * blocks * 16) });
    const scales = g.constant({
      type: 'f32',
      shape: [columns * blocks],
      data: new Float32Array(columns * blocks).fill(0.01),
    });
    const attributes = { K: depth, N: columns, bits: 4, block_size: 32 };
    return end(g.op('MatMulNBits', [x, w, scales], attributes, 'com.microsoft'));
  }
  if (operator.kind === 'attention') {
    const { queries, keys, heads, size } = operator;
    const shapes = { q: [1, queries, heads, size], k: [1, keys, heads, size], v: [1, keys, heads, size] };
    const [q, k, v] = Object.entries(shapes).map(([name, shape]) => g.input(name, shape)) as [string, string, string];
    const turned = (value: string, perm: readonly number[]): string => g.op('Transpose', [value], { perm });
    const scores = g.op('MatMul', [turned(q, [0, 2, 1, 3]), turned(k, [0, 2, 3, 1])]);
    const scale = g.constant({ type: 'f32', shape: [], data: Float32Array.of(1 / Math.sqrt(size)) });
    const weights = g.op('Softmax', [g.op('Mul', [scores, scale])], { axis: -1 });
    const mixed = g.op('MatMul', [weights, turned(v, [0, 2, 1, 3])]);
    return { bytes: g.end(turned(mixed, [0, 2, 1, 3]), shapes.q), inputs: shapes };
  }
  const shape = [operator.rows, operator.columns];
  const x = g.input('x', shape);
  const value = (): string => {
    if (operator.kind === 'softmax') return g.op('Softmax', [x], { axis: -1 });
    if (operator.kind === 'gelu') return g.op('Gelu', [x]);
    const [weight, bias] = [floats(2, [operator.columns]), floats(3, [operator.columns])];
    return g.op('LayerNormalization', [x, weight, bias], { axis: -1, epsilon: { float: 1e-12 } });
  };
  return { bytes: g.end(value(), shape), inputs: { x: shape } };
}
