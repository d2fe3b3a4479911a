import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, writeJson } from '../testing/folders.ts';
import { encoder } from '../testing/golden.ts';
import { run } from '../testing/terminal.ts';

const words = ['[PAD]', '[UNK]', ...Array.from({ length: 91 }, (_, i) => `w${i + 2}`)];

/** The encoder with a tokenizer of words. */
function wordModel(): string {
  const model = emptyFolder();
  for (const file of ['config.json', 'model.safetensors']) copyFileSync(join(encoder, file), join(model, file));
  writeJson(model, 'tokenizer.json', {
    added_tokens: [],
    pre_tokenizer: { type: 'WhitespaceSplit' },
    model: { type: 'WordLevel', vocab: Object.fromEntries(words.map((w, i) => [w, i])), unk_token: '[UNK]' },
  });
  return model;
}

const vectorsOf = (stdout: string): number[][] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as number[]);

test('embed: a vector of length one for each text', async () => {
  const { code, stdout } = await run(['embed', '--model', wordModel(), 'w10 w11', 'w12']);
  expect(code).toBe(0);
  const vectors = vectorsOf(stdout);
  expect(vectors.map((v) => v.length)).toEqual([40, 40]);
  for (const v of vectors) expect(Math.hypot(...v)).toBeCloseTo(1, 5);
});

test('embed: pooling, prompts and plain lengths', async () => {
  const args = ['embed', '--model', wordModel(), '--no-normalize'];
  const lines = { stdin: 'w10 w11\nw12\n' };
  const first = vectorsOf((await run([...args, '--pooling', 'cls', '--batch', '1'], lines)).stdout);
  const prompted = vectorsOf((await run([...args, '--prompt', 'w10 ', 'w11'])).stdout);
  const mean = vectorsOf((await run(args, lines)).stdout);
  expect(first).toHaveLength(2);
  expect(Math.abs(Math.hypot(...first[0]!) - 1)).toBeGreaterThan(0.1);
  expect(prompted[0]!.map((x) => x.toFixed(4))).toEqual(mean[0]!.map((x) => x.toFixed(4)));
  expect(mean[0]).not.toEqual(first[0]);
});

test('search: lines by score, with their numbers', async () => {
  const lines = { stdin: 'w20 w21\n\nw10 w11\nw12\n' };
  const args = ['search', '--model', wordModel(), 'w10 w11'];
  const { code, stdout } = await run([...args, '--top', '2'], lines);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ 1\.0000 {2}3 {2}w10 w11\n +-?\d\.\d{4} {2}[14] {2}.*\n$/);
  const found = JSON.parse((await run([...args, '--json'], lines)).stdout) as { score: number; line: number }[];
  expect(found.map(({ line }) => line).sort()).toEqual([1, 3, 4]);
  expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
});

test.each([
  [['embed', 'w10'], 'is a "marian", which is no text encoder'],
  [['search', ' ', '--input', '-'], 'the query is empty'],
  [['search', 'w10', '--input', '-'], 'there is no line to search in'],
  [['embed', '--pooling', 'best', 'w10'], 'It must be one of cls, mean'],
  [['embed', '--prompt-name', 'query', '--model', 'MODEL', 'w10'], 'there is no prompt "query"; this model has none'],
])('%j is refused', async (args, message) => {
  const { code, stderr } = await run(
    args.map((a) => (a === 'MODEL' ? wordModel() : a)),
    { stdin: '\n' },
  );
  expect(stderr).toContain(message);
  expect(code).toBe(2);
});
