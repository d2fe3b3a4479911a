// Operator cases from a folder: those of the ONNX standard, all on the cpu backend and some of every sort on WebGPU.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { webgpu } from '@transept/webgpu-backend';
import { expect, test } from 'vitest';
import { emptyFolder, writeJson } from '../testing/folders.ts';
import { run } from '../testing/terminal.ts';

const onnx = join(import.meta.dirname, '..', '..', '..', '..', 'fixtures', 'onnx-ops');

interface Report {
  readonly counts: { readonly pass: number; readonly fail: number; readonly unsupported: number };
  readonly failures: readonly unknown[];
  readonly unsupported: readonly { readonly reason: string }[];
  readonly outOfScope: readonly { readonly name: string }[];
}

async function report(...args: readonly string[]): Promise<Report & { readonly code: number }> {
  const { code, stdout, stderr } = await run(['conformance', '--cases', onnx, '--json', ...args]);
  expect(stderr).toBe('');
  return { code, ...(JSON.parse(stdout) as Report) };
}

test('all on the cpu backend', async () => {
  const { code, counts, failures, unsupported, outOfScope } = await report('--backend', 'cpu', '--threads', '1');
  expect(failures).toEqual([]);
  expect(code).toBe(0);
  expect(counts).toEqual({ pass: 759, fail: 0, unsupported: 45 });
  expect(new Set(unsupported.map(({ reason }) => reason))).toEqual(new Set(['no f16 on this device']));
  expect(outOfScope.map(({ name }) => name)).toEqual([
    'Dropout in training',
    'Equal of string',
    'NonZero',
    'Shape',
    'Size',
  ]);
});

/** Why there is no WebGPU here; where the tests were started with an adapter, not getting one is a failure. */
const missing = await (async (): Promise<string | undefined> => {
  try {
    using _ = await webgpu();
    return undefined;
  } catch (error) {
    if (['native', 'swiftshader'].includes(process.env['TRANSEPT_WEBGPU'] ?? '')) throw error;
    return (error as Error).message;
  }
})();

const sample = [
  'onnx:Attention/attention_4d_gqa_causal',
  'onnx:Attention/attention_23_boolmask',
  'onnx:RotaryEmbedding/rotary_embedding_interleaved',
  'onnx:LayerNormalization/layer_normalization_3d_axis1',
  'onnx:Softmax/softmax_axis_0',
  'onnx:MatMul/matmul_bcast',
  'onnx:Einsum/einsum_batch_matmul',
  'onnx:Gather/',
  'onnx:ScatterND/scatternd_',
  'onnx:TensorScatter/',
  'onnx:TopK/top_k_same',
  'onnx:CumSum/cumsum_2d',
  'onnx:ReduceLogSumExp/reduce_log_sum_exp_keepdims',
  'onnx:Slice/slice_neg',
  'onnx:Pad/reflect',
  'onnx:QuantizeLinear/quantizelinear_blocked',
  'onnx:Cast/cast_FLOAT_to_INT4',
  'onnx:SoftmaxCrossEntropyLoss/sce_mean_weight_ii_3d',
];

test.skipIf(missing)(`some of every sort on WebGPU${missing ? ` (missing: ${missing})` : ''}`, async () => {
  const { failures, counts, code } = await report('--backend', 'webgpu', '--only', ...sample);
  expect(failures).toEqual([]);
  expect(code).toBe(0);
  expect(counts.pass).toBeGreaterThan(35);
});

test('for people: what is out of scope is said once', async () => {
  const { code, stdout } = await run(['conformance', '--backend', 'reference', '--cases', onnx, '--only', 'onnx:Abs/']);
  expect(code).toBe(0);
  expect(stdout).toContain('reference: 1 passed, 0 failed, 0 unsupported');
  expect(stdout.match(/ {2}out of scope: Shape: shapes are known/g)).toHaveLength(1);
});

test.each([
  [() => 'nowhere', 'conformance: cannot read nowhere: there is no such file or folder'],
  [emptyFolder, 'has no .json files; expected operator cases'],
  [() => withFile((folder) => writeFileSync(join(folder, 'a.json'), '[1')), 'a.json is not JSON'],
  [() => withFile((folder) => writeJson(folder, 'a.json', [{ op: 'Add' }])), 'a.json is no list of operator cases'],
])('a folder without cases: %#', async (folder, message) => {
  const { code, stdout, stderr } = await run(['conformance', '--backend', 'reference', '--cases', folder()]);
  expect(stderr).toContain(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

function withFile(write: (folder: string) => void): string {
  const folder = emptyFolder();
  write(folder);
  return folder;
}
