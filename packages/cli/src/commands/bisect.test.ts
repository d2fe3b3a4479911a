import { expr, reference } from '@transept/tensor';
import type { Call, Expr } from '@transept/tensor';
import { expect, test } from 'vitest';
import type { OperationReport } from '@transept/conformance';
import type { BackendFactory } from '../backends.ts';
import { ownBackends } from '../backends.ts';
import { llama } from '../testing/golden.ts';
import { run } from '../testing/terminal.ts';
import { watched } from '../testing/watched.ts';

/** A reference backend whose pointwise kernel computes another expression. */
const wrong =
  (change: (tree: Expr, call: Call) => Expr): BackendFactory =>
  () => {
    const { pointwise } = reference().kernels;
    return reference({
      kernels: {
        pointwise: {
          prepare: (call, plan, can) =>
            pointwise.prepare(
              { ...call, attrs: { ...call.attrs, expr: change(call.attrs['expr'] as Expr, call) } },
              plan,
              can,
            ),
        },
      },
    });
  };

/** Another number in place of one. */
function withConstant(tree: Expr, from: number, to: number): Expr {
  if (tree.kind === 'const') return tree.value === from ? { ...tree, value: to } : tree;
  if (tree.kind === 'cast') return { ...tree, arg: withConstant(tree.arg, from, to) };
  return tree.kind === 'apply' ? { ...tree, args: tree.args.map((a) => withConstant(a, from, to)) } : tree;
}

/** Normalisation with an epsilon that is too large. Nothing else has this constant. */
const epsilon = wrong((tree) => withConstant(tree, 1e-5, 1e-2));

/** Wrong where the gate of a feed-forward network is fused with its activation, and only there. */
const fusedGate = wrong((tree, { inputs }) =>
  inputs.length === 2 && expr.formatExpr(tree).includes('exp(neg(') ? withConstant(tree, 1, 1.01) : tree,
);

interface Report {
  readonly operations: number;
  readonly differences: readonly OperationReport[];
  readonly lowered: readonly { readonly backend: string; readonly differences: readonly OperationReport[] }[];
}

async function bisected(backends: Readonly<Record<string, BackendFactory>>, ...args: readonly string[]) {
  const { code, stdout, stderr } = await run(
    ['bisect', '--model', llama, '--backends', Object.keys(backends).join(','), '--threads', '1', '--json', ...args],
    { backends },
  );
  expect(stderr).toBe('');
  return { code, ...(JSON.parse(stdout) as Report) };
}

const cpu = ownBackends['cpu']!;

test('backends that agree, operation by operation and as they are fused', async () => {
  const watch = watched();
  const { code, operations, differences, lowered } = await bisected({ ...watch.backends, cpu });
  expect({ code, differences }).toEqual({ code: 0, differences: [] });
  expect(operations).toBeGreaterThan(60);
  expect(lowered.map(({ backend, differences }) => [backend, differences])).toEqual([
    ['watched', []],
    ['cpu', []],
  ]);
  expect(watch.left).toEqual([0]);
});

test('a wrong epsilon: the first normalisation is named, with its parameters and worst elements', async () => {
  const { code, operations, differences, lowered } = await bisected({ cpu, epsilon });
  expect({ code, lowered }).toEqual({ code: 1, lowered: [] });
  expect(differences).toHaveLength(1);
  const [found] = differences;
  expect(found).toMatchObject({
    op: 'rmsNorm',
    label: 'layers.0.self_attn.rmsNorm',
    parameters: ['model.layers.0.input_layernorm.weight'],
    number: operations,
    wrong: [1],
  });
  const [first, second] = found!.worst;
  expect(first!.difference).toBeGreaterThan(first!.bound);
  expect(first!.difference / first!.bound).toBeGreaterThanOrEqual(second!.difference / second!.bound);
  expect(Math.abs(first!.values[0]! - first!.exact)).toBeLessThan(Math.abs(first!.values[1]! - first!.exact));
});

test('--all goes on: every normalisation, and nothing that only works on what they made', async () => {
  const { differences } = await bisected({ cpu, epsilon }, '--all');
  expect(differences.map(({ op }) => op)).toEqual(Array(11).fill('rmsNorm'));
});

test('what is wrong only when fused is found in the plan of the backend', async () => {
  const { code, differences, lowered } = await bisected({ cpu, fusedGate });
  expect({ code, differences }).toEqual({ code: 1, differences: [] });
  const [cpus, theirs] = lowered;
  expect(cpus!.differences).toEqual([]);
  expect(theirs).toMatchObject({ backend: 'fusedGate', differences: [{ op: 'pointwise', wrong: [0] }] });
  expect(theirs!.differences[0]!.label).toContain('layers.0.mlp');
});

test('for people: a sentence of the translator', async () => {
  const backends = { reference: () => reference(), epsilon };
  const args = ['bisect', 'Hallo.', '--backends', 'reference,epsilon'];
  const { code, stdout } = await run(args, { backends });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^operation \d+ of \d+: layerNorm in encoder\.layers\.0\.self_attn_layer_norm/);
  expect(stdout).toContain('parameters: model.encoder.layers.0.self_attn_layer_norm.weight');
  expect(stdout).toMatch(/elements are further apart than their bound; wrong: epsilon\n/);
  expect(stdout).toMatch(/element +reference +epsilon +exact +difference +bound/);
  expect(stdout).toMatch(/DIFFER: reference and epsilon differ in 1 operation of \d+ compared\n$/);
});

test.each([
  [['--backends', 'cpu'], 'bisect: --backends is cpu; expected two different ones'],
  [['--backends', 'cpu,cpu'], 'expected two different ones'],
  [['--backends', 'cpu,reference,webgpu'], 'expected two different ones'],
  [['--backends', 'cpu,abacus'], 'backend: "abacus" is not registered'],
  [['--backends', 'cpu,reference', '--model', llama, 'Hello'], 'has no tokenizer.json; leave out the text to use ids'],
])('bisect %j', async (args, message) => {
  const { code, stdout, stderr } = await run(['bisect', ...args]);
  expect(stderr).toContain(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});
