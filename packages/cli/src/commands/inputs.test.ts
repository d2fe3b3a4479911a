// What models take besides ids and masks, through `forward` and `generate`: types of tokens, pixels, features of sounds.
import { join } from 'node:path';
import { folder, openCheckpoint } from '@transept/checkpoint';
import { expect, test } from 'vitest';
import { emptyFolder } from '../testing/folders.ts';
import { goldenCall, nested, recorded, rowsOf } from '../testing/golden.ts';
import type { GoldenTensor } from '../testing/golden.ts';
import { run } from '../testing/terminal.ts';

test.each([
  ['bert', ['input_ids', 'attention_mask', 'token_type_ids']],
  ['bert-qa', ['input_ids', 'attention_mask', 'token_type_ids']],
  ['vit', ['pixel_values']],
  ['whisper', ['input_features', 'decoder_input_ids']],
])('forward of %s takes %s', async (name, inputs) => {
  const golden = await goldenCall('fwd', recorded(name));
  const output = join(emptyFolder(), 'out.safetensors');
  const input = Object.fromEntries(inputs.map((key) => [key, nested(golden[key]!)]));
  const { code, stderr } = await run(
    [
      'forward',
      '--model',
      recorded(name),
      '--backend',
      'reference',
      '--input',
      '-',
      '--output',
      output,
      '--hidden',
      '--attentions',
    ],
    { stdin: JSON.stringify(input) },
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const made = await openCheckpoint(folder(join(output, '..')), { file: 'out.safetensors' });
  const expected = Object.keys(golden).filter((key) => !inputs.includes(key));
  expect([...made.tensors.keys()].sort()).toEqual(expected.sort());
  const mask = golden['attention_mask'];
  for (const key of expected)
    expectNear(golden[key]!, await made.read(key, { as: 'f32' }), key.startsWith('att') ? undefined : mask);
});

/** Near where the mask, if there is one, is 1. */
function expectNear({ shape, data }: GoldenTensor, actual: Float32Array, mask: GoldenTensor | undefined): void {
  const width = data.length / (shape[0]! * shape[1]!);
  for (let i = 0; i < data.length; i++)
    if (!mask || mask.data[Math.floor(i / width)] === 1) expect(actual[i]).toBeCloseTo(data[i]!, 3);
}

const speech = (input: unknown): ReturnType<typeof run> =>
  run(['generate', '--model', recorded('whisper'), '--backend', 'reference', '--input', '-'], {
    stdin: JSON.stringify(input),
  });

test('generate from features of sounds, with a prompt of its own or with timestamps', async () => {
  const model = recorded('whisper');
  const [greedy, timed] = [await goldenCall('greedy', model), await goldenCall('greedy_timestamps', model)];
  const options = { max_new_tokens: 18, num_beams: 1 };
  const input_features = nested(greedy['input_features']!);
  const { stdout } = await speech([
    { input_features, options },
    { input_features, decoder_input_ids: input_features.map(() => [3, 88]), options },
    {
      input_features: nested(timed['input_features'] ?? greedy['input_features']!).slice(0, 2),
      options: { ...options, return_timestamps: true },
    },
  ]);
  const [plain, prompted, pieces] = JSON.parse(stdout) as { sequences: number[][] }[];
  expect(plain!.sequences).toEqual(rowsOf(greedy['sequences']!));
  expect(prompted!.sequences).toEqual(plain!.sequences);
  expect(pieces!.sequences).toEqual(rowsOf(timed['sequences']!));
});

test.each([
  [{ input_ids: [[1]] }, 'input_ids is given; a case has input_features, decoder_input_ids, options'],
  [{}, 'input_features are missing'],
  [{ input_features: [[[1, 2], [3]]] }, 'expected numbers in nested lists of equal lengths'],
  [{ input_features: [[[1, 2]]] }, 'shape is [1, 1, 2]; this model takes [rows, 12, 28]'],
  [{ input_features: [], options: { prompt_ids: [1] } }, 'option "prompt_ids" is not supported'],
  [{ input_features: [], options: { language: 'de' } }, 'this model knows English only'],
])('generate from sounds: %j is refused', async (input, message) => {
  const { code, stderr } = await speech(input);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});
