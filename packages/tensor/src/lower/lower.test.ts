import { describe, expect, it } from 'vitest';
import {
  activation,
  add,
  argmax,
  assign,
  attention,
  concat,
  formatPlan,
  gather,
  gatherRange,
  layerNorm,
  linear,
  lower,
  matmul,
  mul,
  reference,
  reshape,
  rope,
  rmsNorm,
  scatter,
  slice,
  softmax,
  trace,
  transpose,
} from '../index.ts';
import type { Backend, Buffer, Graph, Kernels, Tensor } from '../index.ts';

type Step = Kernels<never>;

/** Run a graph once; inputs by name, outputs as arrays of numbers. */
async function run(
  backend: Backend,
  inputs: Readonly<Record<string, ArrayBufferView>>,
  build: (g: Graph) => Record<string, Tensor>,
  scalars: readonly number[][] = [[]],
): Promise<Record<string, number[]>> {
  const plan = lower(trace('test', build), backend);
  const bound: Record<string, Buffer> = {};
  for (const b of plan.buffers) {
    if (b.kind !== 'bound') continue;
    bound[b.name] = backend.alloc(b.bytes);
    if (inputs[b.name]) backend.write(bound[b.name]!, inputs[b.name]!);
  }
  using program = await backend.load(plan, bound);
  for (const s of scalars) program.run(s);
  const out: Record<string, number[]> = {};
  for (const b of plan.buffers) {
    if (b.kind !== 'bound' || (b.role !== 'output' && b.role !== 'state')) continue;
    const bytes = await backend.read(bound[b.name]!);
    out[b.name] = [...(b.dtype === 'i32' ? new Int32Array(bytes.buffer) : new Float32Array(bytes.buffer))];
  }
  return out;
}

const ramp = (n: number, f = (i: number) => i): Float32Array => Float32Array.from({ length: n }, (_, i) => f(i));
const close = (actual: number[] | undefined, expected: ArrayLike<number>, digits = 5): void => {
  expect(actual?.length).toBe(expected.length);
  actual!.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, digits));
};

/** A backend that joins epilogues but computes nothing: for looking at plans. */
const planner = (fused: readonly string[] = []): Backend => {
  const plain = reference({ memory: 'slots' });
  const nothing = { epilogue: true, prepare: () => () => () => {} };
  const kernels = { ...plain.kernels, matmul: nothing, gather: nothing } as Record<string, unknown>;
  for (const op of fused) kernels[op] = nothing;
  return { ...plain, kernels: kernels as unknown as Step } as unknown as Backend;
};
const ops = (backend: Backend, build: (g: Graph) => Record<string, Tensor>): string[] =>
  lower(trace('test', build), backend).calls.map((c) => c.op);

describe('lower', () => {
  it('leaves parameters their names, also one of a single part', () => {
    const { buffers } = lower(
      trace('test', (g) => ({ y: mul(g.mergedParameter([{ name: 'w.0', shape: [2] }], 'f32', { name: 'w.all' }), 2) })),
      reference(),
    );
    expect(buffers.flatMap((b) => (b.kind === 'bound' && b.role === 'parameter' ? [b.name] : []))).toEqual(['w.all']);
  });

  it('runs primitives on the reference backend', async () => {
    const { y } = await run(reference(), { a: ramp(6), b: ramp(12) }, (g) => ({
      y: matmul(g.input('a', [2, 3]), transpose(g.parameter('b', [4, 3]))),
    }));
    close(y, [5, 14, 23, 32, 14, 50, 86, 122]);
  });

  it.each(['arena', 'slots'] as const)(
    'computes softmax, norms and argmax by their definitions (%s)',
    async (memory) => {
      const x = ramp(8, (i) => Math.sin(i * 3));
      const out = await run(reference({ memory }), { x, w: ramp(4, (i) => i + 1), b: ramp(4, (i) => i / 2) }, (g) => {
        const [t, w, b] = [g.input('x', [2, 4]), g.parameter('w', [4]), g.parameter('b', [4])];
        return { soft: softmax(t), norm: layerNorm(t, w, b, 1e-5), rms: rmsNorm(t, w, 1e-6), best: argmax(t) };
      });
      for (const r of [0, 1]) {
        const row = [...x.slice(r * 4, r * 4 + 4)];
        const sum = row.reduce((s, v) => s + Math.exp(v), 0);
        const mean = row.reduce((s, v) => s + v, 0) / 4;
        const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / 4;
        const square = row.reduce((s, v) => s + v * v, 0) / 4;
        close(
          out['soft']!.slice(r * 4, r * 4 + 4),
          row.map((v) => Math.exp(v) / sum),
        );
        close(
          out['norm']!.slice(r * 4, r * 4 + 4),
          row.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * (i + 1) + i / 2),
        );
        close(
          out['rms']!.slice(r * 4, r * 4 + 4),
          row.map((v, i) => (v / Math.sqrt(square + 1e-6)) * (i + 1)),
        );
        expect(out['best']![r]).toBe(row.indexOf(Math.max(...row)));
      }
    },
  );

  it('attends as the formula says, with grouped heads, cache start, mask and rows that see nothing', async () => {
    const [B, T, S, H, G, D] = [2, 3, 5, 4, 2, 3];
    const q = ramp(B * T * H * D, (i) => Math.sin(i));
    const k = ramp(B * S * G * D, (i) => Math.cos(i * 1.3));
    const v = ramp(B * S * G * D, (i) => Math.sin(i * 0.7 + 1));
    for (let b = 0; b < B; b++)
      for (let d = 0; d < G * D; d++) k[(b * S + 4) * G * D + d] = v[(b * S + 4) * G * D + d] = NaN;
    const mask = Int32Array.from([0, 0, 1, 1, 1, 1, 0, 1, 1, 1]);
    const out = await run(
      reference(),
      { q, k, v, mask },
      (g) => ({
        y: attention(g.input('q', [B, T, H, D]), g.input('k', [B, S, G, D]), g.input('v', [B, S, G, D]), {
          causal: true,
          start: g.scalar('start'),
          mask: reshape(g.input('mask', [B, S], 'i32'), [B, 1, 1, S]),
        }),
      }),
      [[1]],
    );
    const expected: number[] = [];
    for (let b = 0; b < B; b++)
      for (let t = 0; t < T; t++)
        for (let h = 0; h < H; h++) {
          const g = Math.floor((h * G) / H);
          const seen = [...Array(S).keys()].filter((s) => s <= t + 1 && mask[b * S + s]);
          const score = (s: number): number => {
            let dot = 0;
            for (let d = 0; d < D; d++) dot += q[((b * T + t) * H + h) * D + d]! * k[((b * S + s) * G + g) * D + d]!;
            return Math.exp(dot / Math.sqrt(D));
          };
          const total = seen.reduce((sum, s) => sum + score(s), 0);
          for (let d = 0; d < D; d++)
            expected.push(seen.reduce((sum, s) => sum + (score(s) / total) * v[((b * S + s) * G + g) * D + d]!, 0));
        }
    close(out['y'], expected);
    expect(out['y']!.slice(0, H * D)).toEqual(new Array(H * D).fill(0));
  });

  it('keeps what is read in two orders by one operation', async () => {
    const x = ramp(4, (i) => i + 1);
    const out = await run(reference(), { x }, (g) => {
      const doubled = mul(g.input('x', [2, 2]), 2);
      return { y: add(doubled, transpose(doubled)) };
    });
    close(out['y'], [4, 10, 10, 16]);
  });

  it('rotates pairs', async () => {
    const x = ramp(2 * 6, (i) => i + 1);
    const [cos, sin] = [ramp(4, (i) => Math.cos(i)), ramp(4, (i) => Math.sin(i))];
    const out = await run(reference(), { x, cos, sin }, (g) => {
      const t = g.input('x', [1, 2, 1, 6]);
      const [c, s] = [reshape(g.input('cos', [2, 2]), [1, 2, 1, 2]), reshape(g.input('sin', [2, 2]), [1, 2, 1, 2])];
      return { halves: rope(t, c, s), pairs: rope(t, c, s, { interleaved: true }) };
    });
    const turn = (a: number, b: number, i: number): number[] => [a * cos[i]! - b * sin[i]!, b * cos[i]! + a * sin[i]!];
    const [a, b] = [turn(7, 9, 2), turn(8, 10, 3)];
    close(out['halves']!.slice(6), [a[0]!, b[0]!, a[1]!, b[1]!, 11, 12]);
    close(out['pairs']!.slice(6), [...turn(7, 8, 2), ...turn(9, 10, 3), 11, 12]);
  });

  it('writes states in place and reads the new version', async () => {
    const rows = ramp(2 * 2 * 3);
    const out = await run(
      reference({ memory: 'slots' }),
      { rows },
      (g) => {
        const cache = scatter(
          transpose(g.state('cache', [2, 4, 3]), [1, 0, 2]),
          g.scalar('at'),
          transpose(g.input('rows', [2, 2, 3]), [1, 0, 2]),
        );
        return { first: gatherRange(reshape(cache, [8, 3]), g.scalar('at'), 1) };
      },
      [[0], [2]],
    );
    close(out['cache'], [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 6, 7, 8, 9, 10, 11]);
    close(out['first'], [0, 1, 2]);
  });

  it('joins chains, epilogues and writes', () => {
    const block = (g: Graph): Record<string, Tensor> => {
      const x = g.input('x', [2, 3, 8]);
      const h = activation('silu', add(linear(x, g.parameter('w', [16, 8])), g.parameter('b', [16])));
      return { y: add(mul(linear(h, g.parameter('v', [8, 16])), 0.5), x) };
    };
    expect(ops(planner(), block)).toEqual(['matmul', 'matmul']);
    expect(ops(reference(), block)).toEqual(['matmul', 'pointwise', 'matmul', 'pointwise']);
    expect(ops(reference(), (g) => ({ y: concat([mul(g.input('a', [2, 2]), 2), g.input('b', [2, 3])], 1) }))).toEqual([
      'pointwise',
      'copy',
    ]);
    const embedded = (g: Graph): Record<string, Tensor> => ({
      y: add(
        mul(gather(g.parameter('w', [9, 4]), g.input('ids', [3], 'i32')), 2),
        gatherRange(g.parameter('p', [5, 4]), g.scalar('at'), 3),
      ),
    });
    expect(ops(planner(), embedded)).toEqual(['gather', 'gather']);
  });

  it('computes the same with and without joining', async () => {
    const inputs = { x: ramp(48, Math.sin), w: ramp(64, Math.cos), b: ramp(8) };
    const build = (g: Graph): Record<string, Tensor> => {
      const x = g.input('x', [2, 3, 8]);
      const y = add(linear(x, g.parameter('w', [8, 8])), g.parameter('b', [8]));
      return { y: mul(activation('gelu', y), x), z: concat([mul(y, 2), x], -1) };
    };
    const joined = await run(reference(), inputs, build);
    const apart = await run(reference({ memory: 'slots' }), inputs, (g) => {
      const { y, z } = build(g);
      return { y: y!, z: z! };
    });
    expect(joined).toEqual(apart);
  });

  it('does not move a read of a state past its next write', async () => {
    const out = await run(reference(), { x: ramp(2, (i) => i + 5) }, (g) => {
      const s = g.state('s', [2]);
      const before = mul(add(s, 1), 10);
      assign(s, g.input('x', [2]));
      return { y: add(before, 0.5) };
    });
    close(out['y'], [10.5, 10.5]);
    close(out['s'], [5, 6]);
  });

  it('uses memory again after the last reader', () => {
    const chain = (g: Graph): Record<string, Tensor> => {
      let x = g.input('x', [64, 64]);
      for (let i = 0; i < 6; i++) x = softmax(x);
      return { x2: x };
    };
    for (const [backend, limit] of [
      [reference(), 3.1],
      [planner(['softmax']), 2],
    ] as const) {
      const plan = lower(trace('chain', chain), backend);
      const bytes = plan.buffers.reduce((n, b) => n + (b.kind === 'temporary' ? b.bytes : 0), 0);
      expect(bytes / (64 * 64 * 4)).toBeLessThanOrEqual(limit);
    }
  });

  it('says what it did', () => {
    const plan = lower(
      trace('m', (g) => g.scope('layer', () => ({ y: softmax(g.input('x', [2, 4])) }))),
      reference(),
    );
    expect(plan.notes[0]).toEqual({ kind: 'decomposed', op: 'softmax', label: 'layer.softmax', detail: 'no kernel' });
    expect(formatPlan(plan)).toContain('layer.softmax: y [2, 4] = pointwise');
  });

  it('copies an output that is a view, an input or a double', async () => {
    const out = await run(reference(), { x: ramp(6) }, (g) => {
      const x = g.input('x', [2, 3]);
      const y = mul(x, 2);
      return { same: x, turned: transpose(y), y, again: y, part: slice(x, 1, 1, 2) };
    });
    close(out['same'], [0, 1, 2, 3, 4, 5]);
    close(out['turned'], [0, 6, 2, 8, 4, 10]);
    close(out['again'], out['y']!);
    close(out['part'], [1, 4]);
  });
});
