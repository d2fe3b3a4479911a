import { expect, test } from 'vitest';
import { goldenRows } from '../testing/golden.ts';
import { run } from '../testing/terminal.ts';
import type { Outcome } from '../testing/terminal.ts';

const rows = goldenRows().slice(0, 2);
const [first, second] = rows as [(typeof rows)[0], (typeof rows)[0]];

const generate = (input: unknown, ...args: string[]): Promise<Outcome> =>
  run(['generate', '--input', '-', ...args], { stdin: JSON.stringify(input) });

const padded = (ids: readonly number[], length: number): number[] => Array.from({ length }, (_, i) => ids[i] ?? 6000);

test('greedy ids of a batch, as transformers returns them', async () => {
  const length = Math.max(first.input_ids.length, second.input_ids.length);
  const outcome = await generate({
    input_ids: rows.map((row) => padded(row.input_ids, length)),
    attention_mask: rows.map((row) => Array.from({ length }, (_, i) => Number(i < row.input_ids.length))),
    options: { num_beams: 1 },
  });
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  const longest = Math.max(first.greedy.length, second.greedy.length);
  expect(JSON.parse(outcome.stdout)).toEqual({
    sequences: rows.map((row) => padded(row.greedy, longest)),
    scores: null,
    text: rows.map((row) => row.greedy_text),
  });
});

test('cases of text, with the beams of generation_config.json and their scores', async () => {
  const outcome = await generate([
    { text: first.source },
    { text: [second.source], options: { max_new_tokens: 3, num_beams: 1 } },
  ]);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  const [beams, greedy] = JSON.parse(outcome.stdout) as { sequences: number[][]; scores: number[]; text: string[] }[];
  expect(beams!.sequences).toEqual([first.beam4]);
  expect(beams!.text).toEqual([first.beam4_text]);
  expect(beams!.scores[0]).toBeCloseTo(first.beam4_score, 4);
  // At the longest length generation_config.json wants the end token.
  expect(greedy!.sequences).toEqual([[...second.greedy.slice(0, 3), 0]]);
});

test.each([
  [{}, 'a case has neither input_ids nor text; expected one of them'],
  [{ text: 'Hallo', input_ids: [[1]] }, 'a case has both input_ids and text'],
  [{ text: 'Hallo', attention_mask: [[1]] }, 'a case has text and attention_mask'],
  [{ text: '' }, 'the text is empty'],
  [{ text: ['Hallo', ' '] }, 'text 2 is empty'],
  [{ text: [5] }, 'expected a string or a list of them'],
  [
    { text: 'Hallo', num_beams: 2 },
    'num_beams is given; a case has input_ids, attention_mask, decoder_input_ids, text, options, and settings belong into options',
  ],
  [{ text: 'Hallo', options: 4 }, 'options is 4; expected an object'],
  [{ text: 'Hallo', options: { num_beems: 4 } }, 'there is no option "num_beems"'],
  [{ text: 'Hallo', options: { num_beams: 0 } }, 'option numBeams is 0'],
  [{ text: 'Hallo', options: { max_length: 500 } }, 'this model takes at most 256'],
  [{ input_ids: [[6001]] }, 'row 0 has id 6001'],
  [{ input_ids: [[1, 2]], attention_mask: [[1]] }, 'a mask of 1'],
])('%j is refused', async (input, message) => {
  const { code, stdout, stderr } = await generate(input, '--threads', '1');
  expect(stderr).toContain(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('input that is not JSON', async () => {
  const { code, stderr } = await run(['generate', '--input', '-'], { stdin: '{"text": ' });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^transept: input: standard input is not JSON: /);
});
