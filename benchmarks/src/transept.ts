// Transept as one of the runtimes.
import { cpu } from '@transept/cpu-backend';

import {
  activation,
  attention,
  elements,
  layerNorm,
  linear,
  lower,
  softmax,
  storedBytes,
  trace,
} from '@transept/tensor';
import type { Backend, Graph, Storage, Tensor } from '@transept/tensor';
import { forward, stream, generate } from '@transept/generate';
import { loadModel } from '@transept/models';
import { configs } from './cpu/models.ts';
import type { Task } from './cpu/models.ts';
import type { Operator } from './cpu/operators.ts';
import { randomModel } from './random-model.ts';
import { now } from './measure.ts';
import { randomFloats, randomIds } from './random.ts';
import type { Prepared, Runtime } from './runtime.ts';

/** The graph of an operator; its result is `y`. */
function build(g: Graph, operator: Operator): Tensor {
  switch (operator.kind) {
    case 'matmul':
      return linear(
        g.input('x', [operator.rows, operator.depth]),
        g.parameter('w', [operator.columns, operator.depth]),
      );
    case 'attention': {
      const { queries, keys, heads, size } = operator;
      const q = g.input('q', [1, queries, heads, size]);
      return attention(q, g.input('k', [1, keys, heads, size]), g.input('v', [1, keys, heads, size]), {
        scale: 1 / Math.sqrt(size),
      });
    }
    case 'softmax':
      return softmax(g.input('x', [operator.rows, operator.columns]));
    case 'layerNorm': {
      const x = g.input('x', [operator.rows, operator.columns]);
      return layerNorm(x, g.parameter('g', [operator.columns]), g.parameter('b', [operator.columns]), 1e-12);
    }
    case 'gelu':
      return activation('gelu', g.input('x', [operator.rows, operator.columns]));
    default:
      return operator satisfies never;
  }
}

export async function transept(threads: number): Promise<Runtime> {
  const backend = await cpu({ threads });
  return {
    name: 'Transept',
    version: 'this checkout',
    task: (task) => prepareTask(backend, task),
    async operator(operator) {
      const weights = operator.kind === 'matmul' ? operator.weights : 'f32';
      const stored = new Map<string, Storage>(weights === 'f32' ? [] : [['w', weights]]);
      const traced = trace(operator.kind, (g) => ({ y: build(g, operator) }));
      const plan = lower(traced, backend, { stored, readback: ['y'] });
      const bound = Object.fromEntries(
        plan.buffers.flatMap((b, i) => {
          if (b.kind !== 'bound') return [];
          const buffer = backend.alloc(b.bytes);
          // Bytes of a block: any numbers under scales near 0.01.
          if (b.stored) backend.write(buffer, storedNoise(b.stored, elements(b.shape)));
          else if (b.role !== 'output') backend.write(buffer, randomFloats(i + 1, b.bytes / 4));
          return [[b.name, buffer] as const];
        }),
      );
      const program = await backend.load(plan, bound);
      return {
        run: async () => {
          program.run();
          return program.read('y');
        },
        dispose() {
          program[Symbol.dispose]();
          for (const buffer of Object.values(bound)) buffer[Symbol.dispose]();
        },
      };
    },
    dispose: () => backend[Symbol.dispose](),
  };
}

async function prepareTask(backend: Backend, task: Task): Promise<Prepared> {
  const { model, weights, rows, length, tokens, beams } = task;
  const config = configs[model];
  const loaded = await loadModel(randomModel(model, config), backend, { weights });
  const vocabulary = config['vocab_size'] as number;
  const inputIds = Array.from({ length: rows }, (_, r) => randomIds(r + 1, length, vocabulary));
  const dispose = (): void => loaded[Symbol.dispose]();
  if (tokens === 0) return { run: () => forward(loaded, { inputIds }), dispose };
  const options = { maxNewTokens: tokens, minNewTokens: tokens };
  if (rows > 1 || beams > 1)
    return { run: () => generate(loaded, { inputIds }, { ...options, numBeams: beams }), dispose };
  let measured = 0;
  return {
    async run() {
      let first = 0;
      for await (const _ of stream(loaded, { inputIds }, options)) first ||= now();
      measured = ((now() - first) / (tokens - 1)) * tokens;
    },
    measured: () => measured,
    dispose,
  };
}

/** Bytes of a stored weight, small numbers all. */
export function storedNoise(storage: Storage, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.ceil(storedBytes(storage, count) / 4) * 4).map((_, i) => (i * 2654435761) >>> 24);
  if (storage === 'f16') new Uint16Array(bytes.buffer).forEach((x, i, all) => (all[i] = 0x2000 | (x & 0x83ff)));
  const block = storage === 'q8' ? 34 : storage === 'q4' ? 18 : 0;
  if (block) for (let at = 0; at + block <= bytes.length; at += block) bytes.set([0x1f, 0x21], at);
  return bytes;
}
