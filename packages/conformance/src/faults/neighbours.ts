// Faults of what is joined to a kernel besides epilogues: norms before it, halves of its columns, results that are stored as well.
import { elements, expr, rowMajor } from '@transept/tensor';
import type { Call, Epilogue, Prologue, Store } from '@transept/tensor';
import type { KernelFault, Spoils } from './fault.ts';

type Parts = Omit<KernelFault, 'op' | 'name'>;
const of = (op: KernelFault['op'], faults: Readonly<Record<string, Parts>>): KernelFault[] =>
  Object.entries(faults).map(([name, parts]) => ({ op, name, ...parts }));

const withNorm = (change: (prologue: Prologue, call: Call) => Prologue): Parts => ({
  call: (call) => (call.prologue ? { ...call, prologue: change(call.prologue, call) } : call),
});
const withStores = (change: (store: Store, call: Call) => Store): Parts => ({
  call: (call) => (call.stores ? { ...call, stores: call.stores.map((s) => change(s, call)) } : call),
});
/** Another input of the expression in the place of each, where it takes halves. */
const withHalves = (change: (input: number) => number): Parts => ({
  call: (call) => {
    const { epilogue } = call;
    if (!epilogue?.halves) return call;
    const changed: Epilogue = { ...epilogue, expr: expr.substitute(epilogue.expr, (i) => expr.input(change(i))) };
    return { ...call, epilogue: changed };
  },
});

const products = of('matmul', {
  'norm before: the rows not kept': withNorm(({ op, attrs, inputs }) => ({ op, attrs, inputs })),
  'norm before: the rows kept as they were': {
    spoil: ({ call, memory }: Spoils) => {
      const { inputs, prologue } = call;
      if (!prologue?.output) return;
      const [from, to] = [memory(inputs[0]!), memory(prologue.output)];
      for (let i = 0; i < elements(prologue.output.shape); i++)
        to[prologue.output.offset + i] = from[inputs[0]!.offset + i]!;
    },
  },
  'norm before: only the first row kept': withNorm((prologue) => {
    const { output } = prologue;
    if (!output) return prologue;
    return { ...prologue, output: { ...output, strides: output.strides.with(-2, 0) } };
  }),
  'norm before: eps of 1e-6 always': withNorm((prologue) => ({ ...prologue, attrs: { eps: 1e-6 } })),
  'norm before: the weight taken for the bias': withNorm((prologue) => ({
    ...prologue,
    inputs: prologue.inputs.map(() => prologue.inputs[0]!),
  })),
  'norm before: the mean left in': withNorm((prologue) => ({
    ...prologue,
    op: 'rmsNorm',
    inputs: prologue.inputs.slice(0, 1),
  })),
  'norm before: rows taken for contiguous': {
    call: (call) => {
      const [rows, ...others] = call.inputs;
      return call.prologue ? { ...call, inputs: [{ ...rows!, strides: rowMajor(rows!.shape) }, ...others] } : call;
    },
  },
  'norm before: forgotten': { call: ({ prologue, ...call }) => (prologue?.output ? { ...call, prologue } : call) },
  'halves: swapped': withHalves((i) => (i < 2 ? 1 - i : i)),
  'halves: the first taken twice': withHalves((i) => (i === 1 ? 0 : i)),
  'stored: nothing': { call: ({ stores: _, ...call }) => call },
  'stored: only the first of two': {
    call: (call) => (call.stores ? { ...call, stores: call.stores.slice(0, 1) } : call),
  },
  'stored: always from the first row on': withStores((store) => ({ ...store, start: 0 })),
  'stored: one row late': withStores((store) => {
    const { offset, shape, strides } = store.output;
    const late = { offset: offset + strides[0]!, shape: shape.with(0, shape[0]! - 1) };
    return { ...store, output: { ...store.output, ...late } };
  }),
  'stored: the first columns': withStores((store, { output }) => ({
    ...store,
    from: { ...store.from, offset: output.offset },
  })),
  'stored: only the first position': withStores((store) => ({
    ...store,
    from: { ...store.from, shape: store.from.shape.with(0, 1) },
  })),
  'stored: rows of a batch mixed up': withStores((store) => {
    const { shape, strides } = store.output;
    return shape[1] === 1 ? store : { ...store, output: { ...store.output, strides: strides.with(1, 0) } };
  }),
  'stored: a start below 0 taken for 0': { scalars: (now) => now.map((s) => (s === -1 ? 0 : s)) },
  'stored: a start near the end moved back': { scalars: (now) => now.map((s) => Math.min(s, 6)) },
});

const rotations = of('rope', {
  'stored: nothing': { call: ({ stores: _, ...call }) => call },
  'stored: the first heads': withStores((store, { output }) => ({
    ...store,
    from: { ...store.from, offset: output.offset },
  })),
  'stored: at the place of the first run': { scalars: (_, first) => first },
  'stored: as it was before it was turned': {
    spoil: ({ call, out, memory }: Spoils) => {
      for (const { from, output } of call.stores ?? []) {
        const shift = from.offset - call.output.offset;
        const [x, to] = [memory(call.inputs[0]!), memory(output)];
        const wanted = out[from.offset]!;
        to.forEach((value, i) => value === wanted && (to[i] = x[call.inputs[0]!.offset + shift]!));
      }
    },
  },
});

export const neighbourFaults: readonly KernelFault[] = [...products, ...rotations];
