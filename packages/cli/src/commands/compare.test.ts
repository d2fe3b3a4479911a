import { reference } from '@transept/tensor';
import { expect, test } from 'vitest';
import { ownBackends } from '../backends.ts';
import type { BackendFactory } from '../backends.ts';
import type { Comparison } from '../comparison/compare.ts';
import { goldenRows, llama } from '../testing/golden.ts';
import type { GoldenRow } from '../testing/golden.ts';
import { run } from '../testing/terminal.ts';
import { watched } from '../testing/watched.ts';

/** The shortest sentences: the reference backend takes its time. */
const [first, second] = goldenRows().toSorted((a, b) => a.greedy.length - b.greedy.length) as [GoldenRow, GoldenRow];

test('figures, agreement and attention as JSON', async () => {
  const args = ['compare', first.source, second.source, '--backends', 'reference,cpu', '--json', '--threads', '1'];
  const { code, stdout, stderr } = await run(args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const comparison = JSON.parse(stdout) as Comparison;
  expect(comparison).toMatchObject({ sources: [first.source, second.source], beams: 1, agrees: true });
  const tokens = first.greedy.length + second.greedy.length - 2;
  for (const [i, name] of ['reference', 'cpu'].entries()) {
    const report = comparison.backends[i]!;
    expect(report).toMatchObject({ backend: name, tokens });
    expect(report.texts.map(({ text }) => text)).toEqual([first.greedy_text, second.greedy_text]);
    expect(report.texts.map(({ ids }) => ids)).toEqual([first.greedy, second.greedy]);
    for (const figure of [
      'loadMs',
      'firstTokenMs',
      'laterFirstTokenMs',
      'tokensPerSecond',
      'kernelCallsPerToken',
    ] as const)
      expect(report[figure], figure).toBeGreaterThan(0);
    // The weights as f32 at least.
    expect(report.devicePeakBytes).toBeGreaterThan(28e6);
  }
  expect(comparison.pairs).toHaveLength(1);
  const [pair] = comparison.pairs;
  expect(pair).toMatchObject({
    backends: ['reference', 'cpu'],
    positions: tokens,
    top1: 1,
    clearTop1: 1,
    sameTexts: 2,
  });
  expect(pair!.bound).toBeCloseTo(6e-4);
  expect(pair!.maxLogitDifference).toBeGreaterThan(0);
  expect(pair!.maxLogitDifference).toBeLessThan(6e-4);
  expect(pair!.meanKl).toBeLessThan(1e-6);
  const { columns, rows, weights, kind } = comparison.attention!;
  expect({ kind, columns: columns.length, rows: rows.length }).toEqual({
    kind: 'cross',
    columns: first.input_ids.length,
    rows: first.greedy.length - 1,
  });
  expect(rows.slice(0, 2)).toEqual(['▁I', '▁agree']);
  for (const row of weights) expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 4);
});

test('for people: translations side by side, tables, a picture, and the verdict at the end', async () => {
  const args = ['compare', first.source, '--backends', 'cpu,reference', '--threads', '1'];
  const { code, stdout } = await run(args);
  expect(code).toBe(0);
  const [side] = stdout.match(/^Ich bin .*$/m)!;
  expect(side.split(/ {2,}/).slice(1)).toEqual([
    expect.stringMatching(/^I agree/),
    expect.stringMatching(/^I agree/),
    '=',
  ]);
  expect(stdout).toMatch(/^tokens per second( +\d[\d.]*){2}$/m);
  expect(stdout).toMatch(/^cpu · reference +4 +100 % +100 % of 4 /m);
  expect(stdout).toMatch(/^▁agree .*[░▒▓█]/m);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe('AGREE: cpu and reference agree within the bound');
  expect(stdout).not.toContain('\x1b');
});

/** A reference backend that changes what is read back from it. */
function altered(change: (bytes: Uint8Array) => void): BackendFactory {
  return () => {
    const backend = reference();
    const { read } = backend;
    backend.read = async (...args) => {
      const bytes = await read(...args);
      change(bytes);
      return bytes;
    };
    return backend;
  };
}

test.each([
  [
    'one bit of every number flipped',
    (bytes: Uint8Array) => bytes.forEach((b, i) => i % 4 === 2 && (bytes[i] = b ^ 0x40)),
  ],
  ['one number that is none', (bytes: Uint8Array) => bytes.fill(0xff, 0, 4)],
])('backends that disagree by %s: said so, exit code 1, nothing left', async (_, change) => {
  const watch = watched();
  const backends = { ...watch.backends, wrong: altered(change) };
  const args = ['compare', first.source, '--backends', 'watched,wrong', '--attention', '0'];
  const { code, stdout } = await run(args, { backends });
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(
    /^DISAGREE: watched and wrong: largest \|Δlogit\| .* is above 4\.0e-3/,
  );
  expect(code).toBe(1);
  expect(watch.left).toEqual([0]);
});

test.each([
  [['--backends', 'cpu,cpu', 'Hallo'], '--backends has cpu twice'],
  [['--backends', 'cpu,', 'Hallo'], 'backend: "" is not registered'],
  [['--attention', '2', 'Hallo'], '--attention is 2; there is 1 text'],
  [['--backends', 'cpu', ''], 'the text is empty'],
  [['--backends', 'cpu'], 'there is no text'],
  [['--backends', 'cpu', 'Hallo', '--model', llama], 'has no tokenizer.json'],
])('compare %j', async (args, message) => {
  const { code, stdout, stderr } = await run(['compare', ...args]);
  expect(stderr).toContain(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('the demo without WebGPU says so and compares with the reference backend', async () => {
  const cpu = ownBackends.cpu!;
  const refuse = (): never => {
    throw new Error('webgpu: no adapter');
  };
  // One backend plays both parts, to be quick.
  const { code, stdout, stderr } = await run(['demo'], {
    backends: { cpu, reference: cpu, webgpu: refuse },
  });
  expect(stderr).toContain('webgpu: no adapter');
  expect(stderr).toContain('comparing the cpu backend with the reference backend instead');
  expect(stdout).toContain('20 texts, greedy');
  expect(stdout).toMatch(/AGREE: cpu and reference agree within the bound\n$/);
  expect(code).toBe(0);
});
