// A mixture of experts, computed in its three ways on the device, against plain loops.
import { lower, reference, trace } from '@transept/tensor';
import type { Buffer } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import { mixtureOfExperts, routerImbalance } from './experts.ts';
import { evaluate } from './testing/evaluate.ts';

const [count, width, hidden, experts, chosen] = [5, 6, 4, 7, 3];
const random = (() => {
  let state = 3;
  return () => (state = (state * 48271) % 2147483647) / 2147483647 - 0.5;
})();
const filled = (length: number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, random);
const inputs = {
  x: { shape: [1, count, width], data: filled(count * width) },
  router: { shape: [experts, width], data: filled(experts * width) },
  gateUp: { shape: [experts, 2 * hidden, width], data: filled(experts * 2 * hidden * width) },
  down: { shape: [experts, width, hidden], data: filled(experts * width * hidden) },
};
// Two experts that score the same: the one before counts as better.
inputs.router.data.copyWithin(4 * width, 2 * width, 3 * width);

type Matrix = number[][];
const rowsOf = (data: Float32Array, columns: number): Matrix =>
  Array.from({ length: data.length / columns }, (_, r) => [...data.subarray(r * columns, (r + 1) * columns)]);
const dot = (a: number[], b: number[]): number => a.reduce((s, x, i) => s + x * b[i]!, 0);
const apply = (matrix: Matrix, x: number[]): number[] => matrix.map((row) => dot(row, x));

function plain(renormalize: boolean, tokens = count, k = chosen): number[] {
  const [router, gateUp, down] = [
    rowsOf(inputs.router.data, width),
    rowsOf(inputs.gateUp.data, width),
    rowsOf(inputs.down.data, hidden),
  ];
  return rowsOf(inputs.x.data.subarray(0, tokens * width), width).flatMap((x) => {
    const logits = apply(router, x);
    const all = logits.reduce((s, l) => s + Math.exp(l), 0);
    const best = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b).slice(0, k);
    const total = renormalize ? best.reduce((s, e) => s + Math.exp(logits[e]!), 0) : all;
    const out = new Array<number>(width).fill(0);
    for (const e of best) {
      const both = apply(gateUp.slice(e * 2 * hidden, (e + 1) * 2 * hidden), x);
      const inner = both.slice(0, hidden).map((g, i) => (g / (1 + Math.exp(-g))) * both[hidden + i]!);
      apply(down.slice(e * width, (e + 1) * width), inner).forEach((y, i) => {
        out[i]! += (Math.exp(logits[e]!) / total) * y;
      });
    }
    return out;
  });
}

async function onDevice(renormalize: boolean, room: number, tokens = count, k = chosen): Promise<Float32Array> {
  const backend = reference();
  const traced = trace('experts', (g) => {
    const [x, router, gateUp, down] = Object.entries(inputs).map(([name, { shape }]) =>
      g.input(name, name === 'x' ? [1, tokens, width] : shape),
    );
    const layer = { router: { weight: router! }, gateUp: gateUp!, down: down!, activation: 'silu' } as const;
    return { y: mixtureOfExperts(x!, { ...layer, chosen: k, renormalize, room }) };
  });
  const plan = lower(traced, backend);
  const buffers: Record<string, Buffer> = {};
  for (const b of plan.buffers) {
    if (b.kind !== 'bound') continue;
    buffers[b.name] = backend.alloc(b.bytes);
    const given = inputs[b.name as keyof typeof inputs];
    if (given) backend.write(buffers[b.name]!, given.data.subarray(0, b.bytes / 4));
  }
  const program = await backend.load(plan, buffers);
  program.run();
  return new Float32Array((await backend.read(buffers['y']!)).buffer);
}

const close = (actual: ArrayLike<number>, expected: readonly number[]): void =>
  expected.forEach((y, i) => expect(actual[i]).toBeCloseTo(y, 5));

describe('mixtureOfExperts', () => {
  for (const renormalize of [true, false]) {
    const title = renormalize ? 'weights that add up to 1' : 'weights as they are';
    it(`all experts at once, ${title}`, async () => close(await onDevice(renormalize, 2 ** 24), plain(renormalize)));
    it(`experts taking turns, ${title}`, async () => close(await onDevice(renormalize, 100), plain(renormalize)));
    it(`one expert after the other, ${title}`, async () => close(await onDevice(renormalize, 1), plain(renormalize)));
  }

  // 3 · 1 token · 2 experts are fewer than 7.
  it('weights of the best two, fetched', async () => close(await onDevice(true, 2 ** 24, 1, 2), plain(true, 1, 2)));
});

describe('routerImbalance', () => {
  const layer = (...data: number[]): { shape: number[]; data: Float32Array<ArrayBuffer> } => ({
    shape: [2, 4],
    data: Float32Array.from(data),
  });
  const layers = { a: layer(0, 0, 0, 0, 0, 9, 0, 9), b: layer(5, 5, 0, 0, 0, 0, 5, 5) };
  const high = Math.exp(5) / (2 * Math.exp(5) + 2);

  it('of layers and tokens together', async () => {
    const { data } = await evaluate(layers, (_, { a, b }) => routerImbalance([a!, b!], { chosen: 2 }));
    const nine = Math.exp(9) / (2 * Math.exp(9) + 2);
    const probability = [0, 1, 2, 3].map((e) => 0.25 + (e % 2 ? nine : 0.5 - nine) + 0.5);
    const times = [2, 3, 1, 2];
    expect(data[0]).toBeCloseTo((4 / 16) * times.reduce((sum, n, e) => sum + n * probability[e]!, 0), 5);
  });

  it('of tokens that count', async () => {
    const given = { ...layers, mask: { shape: [2], data: Int32Array.of(1, 0) } };
    const { data } = await evaluate(given, (_, { a, b, mask }) =>
      routerImbalance([a!, b!], { chosen: 2, mask: mask! }),
    );
    expect(data[0]).toBeCloseTo((4 / 4) * 2 * 2 * (0.25 + high), 5);
  });
});
