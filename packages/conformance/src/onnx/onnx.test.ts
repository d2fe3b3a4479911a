// The cases of the ONNX standard on the reference backend, and what is told of those that cannot be tried.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { reference } from '@transept/tensor';
import { describe, expect, it } from 'vitest';
import type { CaseSource } from '../case.ts';
import type { Result } from '../result.ts';
import { runConformance } from '../run.ts';
import { onnxCases } from './cases.ts';
import { kindOf, valuesOf } from './format.ts';
import type { OnnxCase, OnnxTensor } from './format.ts';
import { smallFloats } from './small-floats.ts';

const folder = join(import.meta.dirname, '..', '..', '..', '..', 'fixtures', 'onnx-ops');
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
const read = (name: string): OnnxCase[] => JSON.parse(readFileSync(join(folder, name), 'utf8')) as OnnxCase[];

async function resultsOf({ cases }: CaseSource): Promise<Result[]> {
  using backend = reference();
  const results: Result[] = [];
  for await (const result of runConformance(backend, { cases })) results.push(result);
  return results;
}

describe('the cases of the ONNX standard on the reference backend', () => {
  const sources = new Map(files.map((name) => [name, onnxCases(read(name), name)]));

  it('all 824 are tried or out of scope', () => {
    const tried = [...sources.values()].reduce((n, { cases }) => n + cases.length, 0);
    const left = [...sources.values()].flatMap(({ outOfScope }) => outOfScope.map(({ name }) => name));
    expect(tried).toBe(804);
    expect(left).toEqual(['Dropout in training', 'Equal of string', 'NonZero', 'Shape', 'Size']);
  });

  it.each(files)('%s', async (name) => {
    const results = await resultsOf(sources.get(name)!);
    expect(results.filter((r) => r.outcome !== 'pass')).toEqual([]);
  });
});

const add: OnnxCase = {
  test: 'test_add',
  op: 'Add',
  opset: { 'ai.onnx': 14 },
  attrs: {},
  inputs: [
    { name: 'a', dtype: 'float32', shape: [2], data: [1, 2] },
    { name: 'b', dtype: 'float32', shape: [2], data: [10, 20] },
  ],
  outputs: [{ name: 'c', dtype: 'float32', shape: [2], data: [11, 22] }],
};

it('says so when the values of a case are others', async () => {
  const wrong = { ...add, outputs: [{ ...add.outputs[0]!, data: [11, 22.1] }] };
  expect(await resultsOf(onnxCases([add, wrong]))).toMatchObject([
    { op: 'onnx:Add', case: 'add', outcome: 'pass' },
    { outcome: 'fail', reason: expect.stringContaining('expects 22.1 at 1 of "output 0 c"') as string },
  ]);
});

it('goes on after a case that cannot be built, and lists operators it does not know once', async () => {
  const crooked = { ...add, inputs: [add.inputs[0]!, { ...add.inputs[1]!, shape: [3], data: [1, 2, 3] }] };
  const unknown = { ...add, op: 'Nonsense' };
  const source = onnxCases([crooked, unknown, unknown, add]);
  expect(source.outOfScope).toEqual([{ name: 'Nonsense', reason: 'the suite does not know it' }]);
  expect(await resultsOf(source)).toMatchObject([
    { outcome: 'fail', reason: expect.stringContaining('shapes do not broadcast') as string },
    { outcome: 'pass' },
  ]);
});

const numbers = [-3, -1, -0.5, 0, 0.5, 1, 3];
const floats = (name: string, data: readonly number[]): OnnxTensor => ({
  name,
  dtype: 'float32',
  shape: [data.length],
  data,
});

it.each<[op: string, attrs: OnnxCase['attrs'], fn: (x: number) => number]>([
  ['LeakyRelu', { alpha: 0.1 }, (x) => (x > 0 ? x : 0.1 * x)],
  ['Elu', { alpha: 2 }, (x) => (x > 0 ? x : 2 * Math.expm1(x))],
  ['Softplus', {}, (x) => Math.log1p(Math.exp(x))],
  ['HardSwish', {}, (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5))],
  ['HardSigmoid', { alpha: 0.25 }, (x) => Math.min(1, Math.max(0, 0.25 * x + 0.5))],
])('%s, which the standard has no cases of here', async (op, attrs, fn) => {
  const one: OnnxCase = {
    test: `test_${op}`,
    op,
    opset: { 'ai.onnx': 18 },
    attrs,
    inputs: [floats('x', numbers)],
    outputs: [floats('y', numbers.map(fn))],
  };
  expect(await resultsOf(onnxCases([one]))).toMatchObject([{ outcome: 'pass' }]);
});

it('reads packed and small types', () => {
  const values = (dtype: string | number, shape: number[], data: number[]) => valuesOf({ dtype, shape, data });
  expect(values('int4', [3], [0x8f, 0x07])).toEqual([-1, -8, 7]);
  expect(values('uint4', [3], [0x8f, 0x07])).toEqual([15, 8, 7]);
  expect(values(26, [4], [0b11_10_01_00])).toEqual([0, 1, -2, -1]);
  expect(values('bfloat16', [2], [0x80, 0x3f, 0x20, 0xc0])).toEqual([1, -2.5]);
  expect(smallFloats['float8e4m3fn']!.values[0x7e]).toBe(448);
  expect(smallFloats['float8e5m2']!.values[0x7b]).toBe(57344);
  expect(kindOf('complex64')).toBeUndefined();
});

it.each([[{}], [[{ test: 'x' }]], ['text']])('refuses what is no list of cases: %j', (json) => {
  expect(() => onnxCases(json, 'a.json')).toThrow('a.json is no list of operator cases');
});
