// Graphs of several operations made at random: what lowering joins, copies and puts in one place is tried in all combinations.
import {
  activation,
  add,
  argmax,
  concat,
  copy,
  gather,
  layerNorm,
  linear,
  matmul,
  mul,
  rmsNorm,
  scatter,
  slice,
  softmax,
  sub,
  sum,
  transpose,
} from '@transept/tensor';
import type { Activation, Graph, Tensor } from '@transept/tensor';
import type { OpCase } from '../case.ts';
import { integers, seedOf, uniform } from '../random.ts';
import { Choices, smaller } from './choices.ts';

type Step = (g: Graph, values: readonly Tensor[]) => Tensor;

/** One operation on earlier values, all of them [n, n]. */
function someStep(c: Choices, n: number, number: number): Step {
  const kind = c.integer(0, 15);
  const [first, second] = [c.integer(0, 99), c.integer(0, 99)];
  const turned = c.once(4);
  const pick = (values: readonly Tensor[], which: number): Tensor => values.at(-1 - (which % values.length))!;
  const a = (values: readonly Tensor[]): Tensor => (turned ? transpose(pick(values, first)) : pick(values, first));
  const b = (values: readonly Tensor[]): Tensor => pick(values, second);
  const name = (what: string): string => `${what}${number}`;
  switch (kind) {
    case 0:
    case 1:
      return (_, values) => add(a(values), b(values));
    case 2:
      return (_, values) => mul(a(values), b(values));
    case 3:
      return (_, values) => sub(mul(a(values), 0.5), b(values));
    case 4: {
      const fn = c.of<Activation>(['relu', 'silu', 'gelu', 'tanh']);
      return (_, values) => activation(fn, a(values));
    }
    case 5:
      return (g, values) => linear(a(values), g.parameter(name('w'), [n, n]));
    case 6:
      return (g, values) => add(linear(a(values), g.parameter(name('w'), [n, n])), g.parameter(name('bias'), [n]));
    case 7:
      return (_, values) => mul(matmul(a(values), b(values)), 1 / n);
    case 8:
      return (_, values) => softmax(a(values));
    case 9:
      return (g, values) => rmsNorm(a(values), g.parameter(name('w'), [n]), 0.1);
    case 10:
      return (g, values) => layerNorm(a(values), g.parameter(name('w'), [n]), g.parameter(name('bias'), [n]), 0.1);
    case 11:
      return (_, values) => add(mul(sum(a(values)), 1 / n), b(values));
    case 12: {
      const at = c.integer(0, n);
      return (_, values) => concat([slice(a(values), 1, 0, at), slice(b(values), 1, at, n)], 1);
    }
    case 13:
      return (g, values) => gather(a(values), g.input(name('at'), [n], 'i32'));
    case 14: {
      const [start, rows] = [c.integer(-1, n - 1), c.integer(1, n)];
      return (g, values) => scatter(g.state(name('state'), [n, n]), start, slice(a(values), 0, 0, rows));
    }
    default:
      return (_, values) => copy(a(values));
  }
}

function randomGraph(number: number, seed: number, drawn?: readonly number[]): OpCase {
  const c = new Choices(seedOf(seed, 'graph', String(number)), drawn);
  const n = c.of([2, 4, 9, 17]);
  const steps = Array.from({ length: c.integer(1, 9) }, (_, i) => someStep(c, n, i));
  const [also, views] = [c.integer(0, 9), c.once(3)];
  const indices = Object.fromEntries(steps.map((_, i) => [`at${i}`, integers(0, n - 1)]));
  return {
    op: 'graph',
    name: `random ${number}`,
    build: (g) => {
      const values: Tensor[] = [g.input('x', [n, n]), g.input('z', [n, n])];
      for (const step of steps) values.push(step(g, values));
      const [last, other] = [values.at(-1)!, values.at(-1 - (also % values.length))!];
      return { last: views ? transpose(last) : last, other, best: argmax(last) };
    },
    contents: { ...indices, x: uniform(-1, 1), z: uniform(-1, 1) },
    *smaller() {
      for (const less of smaller(c.drawn)) yield randomGraph(number, seed, less);
    },
  };
}

const graphs = 40;

export const randomGraphs = (seed: number): OpCase[] =>
  Array.from({ length: graphs }, (_, i) => randomGraph(i + 1, seed));
