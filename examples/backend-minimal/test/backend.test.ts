// The example does what it says: real models run on it, within the bounds of docs/numerics.md, and the tutorial shows its real code.
import { readdirSync, readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { join } from 'node:path';
import { folder, readJson } from '@transept/checkpoint';
import { main } from '@transept/cli';
import { runConformance } from '@transept/conformance';
import { forward } from '@transept/generate';
import { loadModel } from '@transept/models';
import { add, lower, sum, trace } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import { expect, test } from 'vitest';
import { backend } from '../src/backend.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const source = join(import.meta.dirname, '..', 'src');
const files = readdirSync(source).map((name) => readFileSync(join(source, name), 'utf8'));
/** What docs/numerics.md allows a logit to be off on the reference backend; sums are f64 here as well. */
const bound = 1e-4;

test('the published values of a small encoder-decoder', async () => {
  const model = folder(join(root, 'fixtures', 'aren-transliteration'));
  const { cases } = (await readJson(model, 'golden.json')) as unknown as {
    cases: { source_ids: number[]; greedy_ids: number[]; decoder_logits: number[][] }[];
  };
  using device = backend();
  using loaded = await loadModel(model, device, { modelType: 'opennmt' });
  for (const { source_ids, greedy_ids, decoder_logits } of cases) {
    const { logits } = await forward(loaded, { inputIds: [source_ids], decoderInputIds: [greedy_ids] });
    const worst = decoder_logits.flat().reduce((w, x, i) => Math.max(w, Math.abs(x - logits!.data[i]!)), 0);
    expect(worst).toBeLessThanOrEqual(bound);
  }
});

test('a sentence through `transept compare --backend-module`', async () => {
  const out: string[] = [];
  const screen = () => new Writable({ write: (chunk, _, done) => (out.push(String(chunk)), done()) });
  const terminal = {
    stdin: Readable.from([]),
    stdout: screen(),
    stderr: screen(),
    signal: new AbortController().signal,
  };
  const module = join(source, 'backend.ts');
  const args = [
    '--backend-module',
    module,
    '--backends',
    'minimal,cpu',
    '--threads',
    '1',
    '--attention',
    '0',
    '--json',
  ];
  expect(await main(['compare', 'Hallo.', ...args], terminal)).toBe(0);
  const { backends, pairs } = JSON.parse(out.join('')) as {
    backends: { backend: string; texts: { text: string }[] }[];
    pairs: { maxLogitDifference: number; top1: number }[];
  };
  expect(backends.map((b) => [b.backend, b.texts[0]!.text])).toEqual([
    ['minimal', 'Hello.'],
    ['cpu', 'Hello.'],
  ]);
  expect(pairs[0]!.top1).toBe(1);
  expect(pairs[0]!.maxLogitDifference).toBeLessThanOrEqual(bound + 5e-4);
});

/** Sum of a view of some numbers, with the backend and everything loaded. */
async function sumOf(view: (x: Tensor) => Tensor, values: Float32Array): Promise<number> {
  using device = backend();
  const build = (x: Tensor): Tensor => sum(view(x), { axes: [...view(x).shape.keys()], keepDims: false });
  const plan = lower(
    trace('sum', (g) => ({ y: build(g.input('x', [values.length])) })),
    device,
  );
  using x = device.alloc(values.byteLength);
  using y = device.alloc(4);
  device.write(x, values);
  using program = await device.load(plan, { x, y });
  program.run();
  return new Float32Array((await device.read(y)).buffer)[0]!;
}

test('the conformance suite: primitives and programs, of which all else is made', async () => {
  using device = backend();
  const only = ['pointwise/', 'reduce/', 'matmul/', 'gather/', 'scatter/', 'copy/', 'program/'];
  const failures: unknown[] = [];
  for await (const result of runConformance(device, { fresh: backend, only }))
    if (result.outcome === 'fail') failures.push(result);
  expect(failures).toEqual([]);
});

test('a reduction of everything counts the offset of a view once', async () => {
  const values = Float32Array.of(1, 2, 4, 8, 16);
  expect(await sumOf((x) => x.graph.view(x.node, { offset: 3, shape: [2], strides: [1] }), values)).toBe(24);
});

test('memory comes back, and what is used cannot be disposed of', async () => {
  using device = backend();
  const plan = lower(
    trace('add', (g) => ({ y: add(g.input('x', [2]), 1) })),
    device,
  );
  const [x, y] = [device.alloc(8), device.alloc(8)];
  await expect(device.load(plan, { x })).rejects.toThrow('"y" of plan "add": nothing is bound to it');
  const program = await device.load(plan, { x, y });
  expect(() => x[Symbol.dispose]()).toThrow('1 programs use the buffer');
  expect(() => program.run([1])).toThrow('takes 0 scalars; received 1');
  program[Symbol.dispose]();
  expect(() => program.run()).toThrow('was disposed of');
  for (const buffer of [x, y]) buffer[Symbol.dispose]();
  expect(device.memory).toMatchObject({ bytes: 0, peak: 16 });
  expect(() => device.write(x, new Float32Array(1))).toThrow('the buffer was disposed of');
});

test('at most 400 lines that import nothing but @transept/tensor', () => {
  expect(files.join('').split('\n').length - 1).toBeLessThanOrEqual(400);
  const imports = files.flatMap((text) => [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, from]) => from));
  expect(new Set(imports)).toEqual(new Set(['@transept/tensor']));
});

test('every piece of code in the tutorial is a piece of the example', () => {
  const squeeze = (text: string): string => text.replace(/\s+/g, ' ').trim();
  const tutorial = readFileSync(join(root, 'docs', 'writing-a-backend.md'), 'utf8');
  const pieces = [...tutorial.matchAll(/```ts\n([^]*?)```/g)].map(([, code]) => squeeze(code!));
  expect(pieces.length).toBeGreaterThan(8);
  for (const piece of pieces)
    expect(
      files.some((text) => squeeze(text).includes(piece)),
      piece,
    ).toBe(true);
});
