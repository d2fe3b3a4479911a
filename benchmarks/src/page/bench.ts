// `pnpm bench page`: whole models in one Chromium, beside the peers that run in pages; and how long a page takes to its first word.
import { parseArgs } from 'node:util';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installPeers } from '../peers/installed.ts';
import { needsModels } from '../peers/native.ts';
import { fileOf } from '../peers/transformers-task.ts';
import { asMarkdown, digits, machine } from '../report.ts';
import type { Report } from '../report.ts';
import type { Runtime } from '../runtime.ts';
import { sweep } from '../sweep.ts';
import { startBrowser } from './browser.ts';
import type { Browser } from './browser.ts';
import { buildPages } from './build.ts';
import { loadContenders, timeLoad } from './load.ts';
import type { PageTimes } from './load.ts';
import { transeptPage, transformersPage, wllamaPage } from './runtimes.ts';
import { servePages } from './server.ts';

interface LoadResult {
  readonly name: string;
  /** Medians of each part, and of the whole. */
  readonly times: Omit<PageTimes, 'word'>;
  readonly word: string;
  readonly bestMs: number;
  readonly worstMs: number;
}

const parts = ['importMs', 'startMs', 'loadMs', 'wordMs', 'totalMs'] as const;

export async function bench(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: 'translator greedy|smollm decode after 16|minilm 1×128' },
      seconds: { type: 'string', default: '1' },
      threads: { type: 'string', default: '1' },
      models: { type: 'string' },
      /** Pages per runtime in the table of page loads. */
      loads: { type: 'string', default: '7' },
    },
  });
  const { models, only } = values;
  const threads = Number(values.threads);
  installPeers();
  await buildPages();
  using server = await servePages(models ?? '');
  const origin = server.url;
  await using browser = await startBrowser();
  const leftOut: Record<string, string> = {};
  if (!models) leftOut['transformers.js'] = needsModels;

  const runtimes: Runtime[] = [];
  let report: Report | undefined;
  if (only !== 'none') {
    const options = { browser, origin, threads };
    runtimes.push(await transeptPage(options));
    if (models) {
      const peer = await transformersPage(options);
      runtimes.push({
        ...peer,
        task: async (task) => (existsSync(join(models, fileOf(task))) ? peer.task!(task) : undefined),
      });
    }
    runtimes.push(await wllamaPage(options));
    const results = await sweep(runtimes, { only, seconds: Number(values.seconds) });
    for (const runtime of runtimes) await runtime.dispose?.();
    const versions = Object.fromEntries(runtimes.map(({ name, version }) => [name, version]));
    report = { machine: machine(), engine: browser.version, clock: 'wall', threads, versions, leftOut, results };
  }
  const loads = await timeLoads(browser, origin, { count: Number(values.loads), threads, models });
  if (values.json) return JSON.stringify({ ...report, loads });
  return [...(report ? [asMarkdown(report), ''] : []), asTable(loads)].join('\n');
}

/** Fresh pages of all contenders in turns; the first of each fills the caches and does not count. */
async function timeLoads(
  browser: Browser,
  origin: string,
  { count, threads, models }: { readonly count: number; readonly threads: number; readonly models: string | undefined },
): Promise<LoadResult[]> {
  const exported = models !== undefined && existsSync(join(models, 'marian-de-en', 'onnx'));
  const contenders = loadContenders.filter(({ build }) => exported || !build);
  const all = contenders.map((): PageTimes[] => []);
  for (let turn = 0; turn <= count && count > 0; turn++)
    for (const [i, contender] of contenders.entries()) {
      const times = await timeLoad(browser, origin, contender, threads);
      console.error(`${contender.name}: ${parts.map((part) => `${part} ${times[part].toFixed(0)}`).join(', ')}`);
      if (turn > 0) all[i]!.push(times);
    }
  return contenders.flatMap(({ name }, i) => {
    const taken = all[i]!.toSorted((a, b) => a.totalMs - b.totalMs);
    if (taken.length === 0) return [];
    const middle = taken[taken.length >> 1]!;
    const { word, ...times } = middle;
    return [{ name, word, times, bestMs: taken[0]!.totalMs, worstMs: taken.at(-1)!.totalMs }];
  });
}

const asTable = (loads: readonly LoadResult[]): string =>
  [
    '| from import to the first word, ms | import | start | model | word | all | range |',
    '| --- | ---: | ---: | ---: | ---: | ---: | --- |',
    ...loads.map(
      ({ name, times, bestMs, worstMs }) =>
        `| ${name} | ${parts.map((part) => digits(times[part])).join(' | ')} | ${digits(bestMs)}–${digits(worstMs)} |`,
    ),
  ].join('\n');
