import { describe, expect, it } from 'vitest';
import {
  activation,
  add,
  argmax,
  assign,
  cast,
  formatPlan,
  layerNorm,
  linear,
  lower,
  mul,
  reference,
  reshape,
  rmsNorm,
  rope,
  scatter,
  slice,
  trace,
} from '../index.ts';
import type { Backend, Call, Graph, Kernel, Plan, Tensor } from '../index.ts';

type Build = (g: Graph) => Record<string, Tensor>;

/** A backend that takes everything but what is said otherwise, and computes nothing: for looking at plans. */
function planner(matmul: Partial<Kernel<never>> = {}, maxBindings = 64): Backend {
  const plain = reference({ memory: 'slots' });
  const nothing = { epilogue: true, prepare: () => undefined as never };
  const joining = { ...nothing, halves: true, prologue: true, stores: true };
  const kernels = {
    ...plain.kernels,
    matmul: { ...joining, ...matmul },
    rope: joining,
    layerNorm: nothing,
    rmsNorm: nothing,
    argmax: nothing,
  };
  return { ...plain, kernels, capabilities: { ...plain.capabilities, maxBindings } } as unknown as Backend;
}
const plan = (build: Build, backend = planner()): Plan => lower(trace('test', build), backend);
const ops = (build: Build, backend?: Backend): string[] => plan(build, backend).calls.map(nameOf);
const nameOf = ({ op, prologue, epilogue, stores = [] }: Call): string =>
  [
    prologue && `${prologue.op}${prologue.output ? '*' : ''}`,
    op,
    epilogue?.halves && 'halves',
    ...stores.map(() => 'store'),
  ]
    .filter(Boolean)
    .join('+');

describe('norms', () => {
  const normed = (g: Graph): Tensor => rmsNorm(g.input('x', [1, 8]), g.parameter('n', [8]), 1e-6);
  const postNorm: Build = (g) => {
    const h = layerNorm(g.input('x', [1, 8]), g.parameter('n', [8]), g.parameter('m', [8]), 1e-5);
    const inner = activation('relu', linear(h, g.parameter('up', [16, 8])));
    return { y: add(h, linear(inner, g.parameter('down', [8, 16]))) };
  };

  it('are joined to the product that alone reads them', () => {
    expect(ops((g) => ({ y: linear(normed(g), g.parameter('w', [4, 8])) }))).toEqual(['rmsNorm+matmul']);
  });
  it('are joined to their first reader, which leaves the rows for the others', () => {
    const { calls, notes, buffers } = plan(postNorm);
    expect(calls.map(nameOf)).toEqual(['layerNorm*+matmul', 'matmul']);
    expect(calls[1]!.epilogue!.inputs[0]!.buffer).toBe(calls[0]!.prologue!.output!.buffer);
    expect(calls[0]!.inputs[0]!.shape).toEqual([1, 8]);
    expect(notes.map((n) => n.detail)).toContain('layerNorm and matmul');
    // What is left has memory of its own while it is needed.
    const used = [calls[0]!.prologue!.output!, calls[0]!.output].map((v) => v.buffer);
    expect(new Set(used).size).toBe(2);
    expect(used.every((at) => buffers[at]!.kind === 'temporary')).toBe(true);
  });
  it('are left as an output', () => {
    const { calls } = plan((g) => {
      const h = normed(g);
      return { h, y: linear(h, g.parameter('w', [4, 8])) };
    });
    expect(calls.map(nameOf)).toEqual(['rmsNorm*+matmul']);
  });
  it('stay apart where the first reader is no product, reads them twice, or declines', () => {
    const build: Build = (g) => ({ y: linear(normed(g), g.parameter('w', [8, 8])) });
    expect(ops((g) => ({ y: mul(normed(g), 2) }))).toEqual(['rmsNorm']);
    expect(
      ops((g) => {
        const h = normed(g);
        return { y: add(linear(h, g.parameter('w', [8, 8])), h) };
      }),
    ).toEqual(['rmsNorm', 'matmul']);
    expect(
      ops((g) => {
        const h = normed(g);
        return { z: linear(g.parameter('w', [4, 8]), h), y: linear(h, g.parameter('w', [4, 8])) };
      }),
    ).toEqual(['rmsNorm', 'matmul', 'matmul']);
    const declines = (call: Call): string | undefined => (call.prologue ? 'no norms' : undefined);
    expect(ops(build, planner({ declines }))).toEqual(['rmsNorm', 'matmul']);
    expect(ops(build, planner({ prologue: false }))).toEqual(['rmsNorm', 'matmul']);
    expect(ops(build, planner({}, 3))).toEqual(['rmsNorm', 'matmul']);
  });
  it('read a state before it is written', () => {
    const build: Build = (g) => {
      const state = g.state('s', [1, 8]);
      const h = rmsNorm(state, g.parameter('n', [8]), 1e-6);
      assign(state, g.input('x', [1, 8]));
      return { y: linear(h, g.parameter('w', [4, 8])) };
    };
    expect(ops(build)).toEqual(['rmsNorm', 'copy', 'matmul']);
  });
});

describe('halves', () => {
  const gated: Build = (g) => {
    const both = linear(g.input('x', [1, 8]), g.parameter('w', [12, 8]));
    return { y: mul(activation('silu', slice(both, 1, 0, 6)), slice(both, 1, 6)) };
  };
  it('are joined to the product', () => {
    const { calls } = plan(gated);
    expect(calls.map(nameOf)).toEqual(['matmul+halves']);
    expect(calls[0]!.output.shape).toEqual([1, 6]);
    expect(calls[0]!.inputs[1]!.shape).toEqual([8, 12]);
    expect(ops(gated, planner({ halves: false }))).toEqual(['matmul', 'pointwise']);
  });
  it('stay apart where they are no halves, or are read again', () => {
    const parts = (from: number, to: number, again: boolean): string[] =>
      ops((g) => {
        const both = linear(g.input('x', [1, 8]), g.parameter('w', [12, 8]));
        const y = mul(slice(both, 1, from, from + 6), slice(both, 1, to, to + 6));
        return again ? { y, both } : { y };
      });
    expect(parts(0, 6, false)).toEqual(['matmul+halves']);
    expect(parts(6, 0, false)).toEqual(['matmul+halves']);
    expect(parts(0, 5, false)).toEqual(['matmul', 'pointwise']);
    expect(parts(0, 6, true)).toEqual(['matmul', 'pointwise']);
  });
});

describe('stores', () => {
  const rows = (g: Graph): Tensor => linear(g.input('x', [2, 8]), g.parameter('w', [12, 8]));
  it('are joined to what makes the rows', () => {
    const { calls } = plan((g) => {
      const all = rows(g);
      const cache = scatter(g.state('cache', [9, 4]), g.scalar('at'), slice(all, 1, 8));
      return { y: linear(slice(all, 1, 0, 4), slice(cache, 0, 0, 5)) };
    });
    expect(calls.map(nameOf)).toEqual(['matmul+store', 'matmul']);
    expect(calls[0]!.stores![0]).toMatchObject({ start: { scalar: 0 }, from: { offset: 8, strides: [12, 1] } });
  });
  it('are joined to the product and to the rotation, each with its part of the cache', () => {
    const build: Build = (g) => {
      const all = reshape(rows(g), [1, 2, 3, 4]);
      const turned = rope(slice(all, 2, 0, 2), g.input('cos', [2, 1, 2]), g.input('sin', [2, 1, 2]));
      const cache = g.state('cache', [9, 2, 4]);
      const values = scatter(slice(cache, 1, 1), g.scalar('at'), reshape(slice(all, 2, 2), [2, 1, 4]));
      scatter(slice(values, 1, 0, 1), g.scalar('at'), reshape(slice(turned, 2, 1), [2, 1, 4]));
      return { query: slice(turned, 2, 0, 1) };
    };
    expect(ops(build)).toEqual(['matmul+store', 'rope+store', 'copy']);
  });
  it('round to f16', () => {
    const build: Build = (g) => {
      const all = rows(g);
      scatter(g.state('cache', [9, 4], 'f16'), g.scalar('at'), cast(slice(all, 1, 8), 'f16'));
      return { all };
    };
    expect(ops(build)).toEqual(['matmul+store']);
    expect(ops(build, planner({ stores: false }))).toEqual(['matmul', 'pointwise', 'scatter']);
  });
  it('stay apart where the cache is read before, by the call itself, by index, or adds', () => {
    const state = (g: Graph): Tensor => g.state('cache', [9, 12]);
    const before: Build = (g) => {
      const [cache, all] = [state(g), rows(g)];
      const y = mul(slice(cache, 0, 0, 2), 2);
      scatter(cache, 3, all);
      return { y };
    };
    const itself: Build = (g) => {
      const cache = state(g);
      scatter(cache, 3, linear(slice(cache, 0, 0, 2), g.parameter('w', [12, 12])));
      return {};
    };
    const indexed: Build = (g) => (scatter(state(g), g.input('at', [2], 'i32'), rows(g)), {});
    const adding: Build = (g) => (scatter(state(g), 3, rows(g), { mode: 'add' }), {});
    expect(ops(before)).toEqual(['matmul', 'pointwise', 'scatter']);
    expect(ops(itself)).toEqual(['matmul', 'scatter']);
    expect(ops(indexed)).toEqual(['matmul', 'scatter']);
    expect(ops(adding)).toEqual(['matmul', 'scatter']);
  });
});

it('writes a result where it is copied to', () => {
  const build: Build = (g) => {
    assign(g.state('tokens', [2, 1], 'i32'), reshape(argmax(g.input('logits', [2, 9])), [2, 1]));
    return {};
  };
  expect(ops(build)).toEqual(['argmax']);
});

it('adds nothing to plans for kernels that take nothing', () => {
  const build: Build = (g) => {
    const both = linear(rmsNorm(g.input('x', [1, 8]), g.parameter('n', [8]), 1e-6), g.parameter('w', [8, 8]));
    scatter(g.state('cache', [9, 8]), 3, both);
    return { y: mul(slice(both, 1, 0, 4), slice(both, 1, 4)) };
  };
  const { calls } = plan(build, planner({ halves: false, prologue: false, stores: false }));
  expect(calls.map((c) => c.op)).toEqual(['rmsNorm', 'matmul', 'scatter', 'pointwise']);
  for (const call of calls) for (const member of ['prologue', 'stores']) expect(call).not.toHaveProperty(member);
});

it('is printed', () => {
  const text = formatPlan(
    plan((g) => {
      const h = rmsNorm(g.input('x', [1, 8]), g.parameter('n', [8]), 0.5);
      const all = linear(h, g.parameter('w', [4, 8]));
      scatter(g.state('cache', [9, 4]), g.scalar('at'), all);
      return { h, y: all };
    }),
  );
  expect(text).toContain(
    'y [1, 4] = matmul(rmsNorm(x [1, 8]; n [8]; eps=0.5) kept in h [1, 8]; w [8, 4] strides [1, 8]) and cache [9, 4] from at on = y [1, 4]',
  );
});
