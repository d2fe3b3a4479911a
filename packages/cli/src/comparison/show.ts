// A comparison for people.
import { styleText } from 'node:util';
import { heatMap } from '../draw/heat-map.ts';
import { table } from '../draw/table.ts';
import { megabytes } from '../progress.ts';
import { columnsOf } from '../terminal.ts';
import type { Screen } from '../terminal.ts';
import { margin } from './bounds.ts';
import type { AttentionPicture, Comparison, PairReport } from './compare.ts';

/** The whole comparison as text; the verdict is the last line. */
export function showComparison(comparison: Comparison, screen: Screen): string {
  const sections = [
    title(comparison),
    translations(comparison, screen),
    figures(comparison, screen),
    pairs(comparison, screen),
    ...(comparison.attention ? [picture(comparison.attention, screen)] : []),
    [verdict(comparison, screen)],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

function title({ model, sources, beams }: Comparison): string[] {
  return [`${model}: ${count(sources.length, 'text')}, ${beams === 1 ? 'greedy' : count(beams, 'beam')}`];
}

function translations({ sources, backends }: Comparison, screen: Screen): string[] {
  const rows = sources.map((source, i) => {
    const texts = backends.map(({ texts }) => texts[i]!.text);
    return [source, ...texts, texts.every((text) => text === texts[0]) ? '=' : '≠'];
  });
  return table(rows, { head: ['text', ...backends.map((b) => b.backend), ''], width: columnsOf(screen) });
}

function figures({ backends }: Comparison, screen: Screen): string[] {
  const ms = (value: number | null): string => (value === null ? '–' : `${value.toFixed(value < 10 ? 1 : 0)} ms`);
  const rows = [
    ['device', ...backends.map(({ details }) => describeDevice(details))],
    ['load', ...backends.map((b) => ms(b.loadMs))],
    ['first token of the first text', ...backends.map((b) => ms(b.firstTokenMs))],
    ['first token of later texts (median)', ...backends.map((b) => ms(b.laterFirstTokenMs))],
    ['tokens per second', ...backends.map((b) => b.tokensPerSecond.toFixed(b.tokensPerSecond < 10 ? 1 : 0))],
    ['kernel calls per token', ...backends.map((b) => String(b.kernelCallsPerToken))],
    ['peak memory on the device', ...backends.map((b) => megabytes(b.devicePeakBytes))],
    ['growth of the process', ...backends.map((b) => megabytes(b.processGrowthBytes))],
  ];
  const head = ['', ...backends.map((b) => b.backend)];
  return table(rows, { head, width: columnsOf(screen), align: head.map((_, i) => (i === 0 ? 'left' : 'right')) });
}

/** The first of what a backend says about itself that tells it from others. */
function describeDevice(details: Readonly<Record<string, string | number | boolean>>): string {
  const { adapter, simd, threads, engine } = details;
  if (adapter) return String(adapter);
  return [simd ?? engine, threads && count(Number(threads), 'thread')].filter(Boolean).join(', ') || '–';
}

function pairs({ pairs }: Comparison, screen: Screen): string[] {
  const percent = (share: number): string => `${(100 * share).toFixed(share === 1 ? 0 : 2)} %`;
  const rows = pairs.map((p) => [
    p.backends.join(' · '),
    String(p.positions),
    percent(p.top1),
    `${percent(p.clearTop1)} of ${p.clearPositions}`,
    `${exponential(p.maxLogitDifference)} (bound ${exponential(p.bound)})`,
    exponential(p.meanKl),
    `${p.sameTexts} of ${p.texts}`,
  ]);
  const head = [
    'forced decoding',
    'tokens',
    'same best token',
    `margin over ${margin}`,
    'largest |Δlogit|',
    'mean KL',
    'same texts',
  ];
  return table(rows, { head, width: columnsOf(screen), align: head.map((_, i) => (i === 0 ? 'left' : 'right')) });
}

const exponential = (value: number): string => (value === 0 ? '0' : value.toExponential(1));

function picture({ backend, kind, columns, rows, weights }: AttentionPicture, screen: Screen): string[] {
  const colors = screen.hasColors?.(256) ?? false;
  return [
    `${kind}-attention of the last layer, mean of its heads, on ${backend}; across: ${kind === 'cross' ? 'source' : 'earlier'} tokens, down: tokens it led to`,
    ...heatMap(weights, { columns, rows, width: columnsOf(screen), colors }),
  ];
}

function verdict({ pairs, agrees }: Comparison, screen: Screen): string {
  const names = (pair: PairReport): string => pair.backends.join(' and ');
  const apart = pairs.filter((pair) => !pair.agrees);
  const text = agrees
    ? `AGREE: ${pairs.map(names).join('; ')} agree within the bound`
    : `DISAGREE: ${apart.map((p) => `${names(p)}: ${why(p)}`).join('; ')}`;
  return styleText([agrees ? 'green' : 'red', 'bold'], text, { stream: screen });
}

function why({ maxLogitDifference, bound, clearTop1, clearPositions }: PairReport): string {
  const different = Math.round((1 - clearTop1) * clearPositions);
  const reasons = [
    ...(maxLogitDifference <= bound
      ? []
      : [`largest |Δlogit| ${exponential(maxLogitDifference)} is above ${exponential(bound)}`]),
    ...(different === 0 ? [] : [`another best token at ${count(different, 'clear position')}`]),
  ];
  return reasons.join(', ');
}
