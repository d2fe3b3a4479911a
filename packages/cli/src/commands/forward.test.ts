import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, openCheckpoint } from '@transept/checkpoint';
import { describe, expect, test } from 'vitest';
import { emptyFolder, writeJson } from '../testing/folders.ts';
import { goldenCall, llama, rowsOf } from '../testing/golden.ts';
import type { GoldenTensor } from '../testing/golden.ts';
import { run } from '../testing/terminal.ts';
import type { Outcome } from '../testing/terminal.ts';

const golden = await goldenCall('s0');
const inputs = Object.fromEntries(
  ['input_ids', 'attention_mask', 'decoder_input_ids'].map((name) => [name, rowsOf(golden[name]!)]),
);

async function outputs(file: string): Promise<Record<string, GoldenTensor>> {
  const checkpoint = await openCheckpoint(folder(join(file, '..')), { file: 'out.safetensors' });
  const tensors: Record<string, GoldenTensor> = {};
  for (const { name, shape, dtype } of checkpoint.tensors.values()) {
    expect(dtype).toBe('F32');
    tensors[name] = { shape, data: await checkpoint.read(name, { as: 'f32' }) };
  }
  return tensors;
}

function largestDifference(a: GoldenTensor, b: GoldenTensor): number {
  expect(a.shape).toEqual(b.shape);
  let largest = 0;
  for (let i = 0; i < a.data.length; i++) largest = Math.max(largest, Math.abs(a.data[i]! - b.data[i]!));
  return largest;
}

test('everything that transformers returns for a case, under its names', async () => {
  const where = emptyFolder();
  const out = join(where, 'out.safetensors');
  const args = ['--input', writeJson(where, 'in.json', inputs), '--output', out];
  const outcome = await run(['forward', ...args, '--hidden', '--attentions', '--backend', 'reference']);
  expect(outcome).toEqual({ code: 0, stdout: '', stderr: '' });
  const tensors = await outputs(out);
  const expected = Object.keys(golden).filter((name) => !(name in inputs));
  expect(Object.keys(tensors).sort()).toEqual(expected.sort());
  expect(expected).toContain('cross_attentions.2');
  for (const name of expected) expect(largestDifference(tensors[name]!, golden[name]!), name).toBeLessThan(1e-4);
});

test('a list of cases shares one load; names carry the number of the case', async () => {
  const where = emptyFolder();
  const out = join(where, 'out.safetensors');
  const short = { input_ids: [[94, 0]], decoder_input_ids: [[6000]] };
  const { code } = await run(['forward', '--input', '-', '--output', out], { stdin: JSON.stringify([short, inputs]) });
  expect(code).toBe(0);
  const tensors = await outputs(out);
  expect(Object.keys(tensors).sort()).toEqual([
    '0.encoder_last_hidden_state',
    '0.logits',
    '1.encoder_last_hidden_state',
    '1.logits',
  ]);
  expect(tensors['0.logits']!.shape).toEqual([1, 1, 6001]);
  expect(largestDifference(tensors['1.logits']!, golden.logits!)).toBeLessThan(5e-4);
});

test('a decoder by itself takes position_ids, and no decoder_input_ids', async () => {
  const where = emptyFolder();
  const out = join(where, 'out.safetensors');
  const forward = (input: unknown): Promise<Outcome> =>
    run(['forward', '--input', '-', '--output', out, '--model', llama, '--attentions'], {
      stdin: JSON.stringify(input),
    });
  expect((await forward({ input_ids: [[1, 403, 407]], position_ids: [[0, 1, 2]] })).code).toBe(0);
  const tensors = await outputs(out);
  expect(Object.keys(tensors).sort()).toEqual([...[0, 1, 2, 3, 4].map((i) => `attentions.${i}`), 'logits']);
  expect(tensors.logits!.shape).toEqual([1, 3, 512]);
  expect(tensors['attentions.0']!.shape).toEqual([1, 8, 3, 3]);
  const refused = await forward({ input_ids: [[1]], decoder_input_ids: [[1]] });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(
    'decoder_input_ids is given; "llama" does not take it, but input_ids, attention_mask, position_ids',
  );
});

describe('what a model does not take is refused by name', () => {
  const good = { input_ids: [[94, 0]], decoder_input_ids: [[6000]] };
  test.each([
    [
      { ...good, token_type_ids: [[0, 0]] },
      'token_type_ids is given; "marian" does not take it, but input_ids, attention_mask',
    ],
    [{ ...good, pixel_values: [[[0]]] }, 'pixel_values is given'],
    [{ ...good, position_ids: [[0, 1]] }, 'position_ids is given'],
    [{ ...good, inputs_ids: [[1]] }, 'inputs_ids is given'],
    [{ decoder_input_ids: [[6000]] }, 'input_ids are missing'],
    [{ input_ids: [[94, 0]] }, 'decoder_input_ids are missing'],
    [{ ...good, input_ids: [94, 0] }, 'input_ids is [94,0]; expected rows of numbers'],
    [{ ...good, input_ids: [['94']] }, 'expected rows of numbers'],
    [{ ...good, input_ids: [[94, 6001]] }, 'row 0 has id 6001 at position 1; ids of this model are 0 to 6000'],
    [{ ...good, input_ids: [[94, -1]] }, 'row 0 has id -1'],
    [{ ...good, input_ids: [[]] }, 'there is no token'],
    [{ ...good, input_ids: [[1, 2], [3]] }, 'pad them to one length'],
    [{ ...good, input_ids: [Array(257).fill(5)] }, 'a row has 257 tokens; this model takes at most 256'],
    [{ ...good, attention_mask: [[1, 1, 1]] }, 'a mask of 3'],
    [{ ...good, attention_mask: [[1, 0.5]] }, 'attention_mask has 0.5; expected 1 where a token counts'],
    [{ ...good, decoder_input_ids: [[6000], [6000]] }, 'input_ids has 1 rows, decoder_input_ids has 2'],
    ['[[94]]', 'is "[[94]]"; expected an object'],
    [[], 'is an empty list; expected at least one case'],
    [[good, 3], 'has a case 1 that is 3; expected an object'],
  ])('%j', async (input, message) => {
    const out = join(emptyFolder(), 'out.safetensors');
    const { code, stderr } = await run(['forward', '--input', '-', '--output', out, '--threads', '1'], {
      stdin: JSON.stringify(input),
    });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(() => readFileSync(out)).toThrow('ENOENT');
  });
});

test('an output that cannot be written leaves nothing behind', async () => {
  const where = emptyFolder();
  const input = writeJson(where, 'in.json', { input_ids: [[94, 0]], decoder_input_ids: [[6000]] });
  const { code, stderr } = await run(['forward', '--input', input, '--output', join(where, 'no', 'out')]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^transept: output: cannot write .*: there is no such file or folder\n$/);
});
