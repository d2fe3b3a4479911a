// `pnpm bench webgpu`: whole models on the adapter that a Chromium finds, ours and transformers.js in one page, in turns. Beside the
// times, what each asks of WebGPU for a token, and how long it keeps the page's thread.
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CDPSession, Page } from 'playwright-core';
import { startBrowser } from '../page/browser.ts';
import { installPeers, peerVersion } from '../peers/installed.ts';
import { fileOf } from '../peers/transformers-task.ts';
import { machine } from '../report.ts';
import { gpuCases, gpuOperatorCases } from './cases.ts';
import type { GpuCase, GpuOperatorCase } from './cases.ts';
import type { OperatorRuntime, RuntimeName } from './page/main.ts';
import { childrenMs } from './processors.ts';
import type { Times } from './page/runtime.ts';
import { asMarkdown, perToken } from './report.ts';
import type { CaseResult, GpuReport, Measurement, OperatorResult } from './report.ts';
import { servePages } from './server.ts';

/** In the page. */
declare const bench: typeof import('./page/main.ts');
declare global {
  var bench: typeof import('./page/main.ts') | undefined;
}

/** Peers that do not take part, and why. */
const leftOut = {
  WebLLM: 'it takes models that TVM compiled ahead of time, and there are none of these shapes',
  wllama: 'it computes on the CPU where the adapter is SwiftShader (3.8.1, all layers offloaded)',
};

/** Tokens of the shorter run, whose cost is taken off the longer one. */
const few = 2;

interface Settings {
  readonly rounds: number;
  /** Most tokens of a run. */
  readonly tokens: number;
  readonly models: string | undefined;
}

async function benchWebgpu(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      rounds: { type: 'string', default: '3' },
      tokens: { type: 'string', default: '64' },
      models: { type: 'string' },
      'only-ours': { type: 'boolean', default: false },
      native: { type: 'boolean', default: false },
    },
  });
  const settings = { rounds: Number(values.rounds), tokens: Number(values.tokens), models: values.models };
  const names: RuntimeName[] = ['Transept'];
  if (!values['only-ours']) installPeers();
  if (!values['only-ours'] && values.models) names.push('transformers.js');
  const wanted = new RegExp(values.only);
  const before = loadavg()[0]!;
  using server = await servePages(values.models);
  await using browser = await startBrowser({ native: values.native });
  const open = async (): Promise<Page> => {
    const page = await browser.open(server.url);
    await page.waitForFunction('globalThis.bench');
    return page;
  };
  let page = await open();
  const replays: Record<string, GpuReport['replays'][string]> = {};
  for (const name of ['translator', 'smollm'] as const)
    if (wanted.test('replay')) replays[name] = await page.evaluate((n) => bench.timeReplays(n, 500), name);
  const adapter = await page.evaluate(() => bench.adapter());
  const coldStart = wanted.test('cold') ? await (await open()).evaluate(() => bench.coldStart()) : undefined;
  const operators: OperatorResult[] = [];
  for (const one of gpuOperatorCases)
    if (wanted.test(one.name)) operators.push(await measureOperator(page, one, values['only-ours'], settings.rounds));
  const cases: CaseResult[] = [];
  for (const one of gpuCases) {
    if (!wanted.test(one.name)) continue;
    await page.close();
    page = await open();
    const result = await measureCase(page, one, names, settings).catch((error: unknown): CaseResult => {
      const why = String(error).slice(0, 200);
      return { ...one, runtimes: {}, absent: Object.fromEntries(names.map((name) => [name, why])) };
    });
    cases.push(result);
    console.error(asLine(result));
  }
  const report: GpuReport = {
    machine: machine(),
    load: [before, loadavg()[0]!],
    browser: browser.version,
    adapter,
    versions: Object.fromEntries(names.map((name) => [name, versionOf(name)])),
    leftOut: values.models
      ? leftOut
      : { ...leftOut, 'transformers.js': 'it takes exports of the models: --models FOLDER' },
    operators,
    cases,
    replays,
    coldStart,
  };
  return values.json ? JSON.stringify(report) : asMarkdown(report);
}

export { benchWebgpu as bench };

const versionOf = (name: RuntimeName): string =>
  name === 'Transept' ? 'this checkout' : peerVersion('@huggingface/transformers');

const asLine = ({ name, runtimes, absent }: CaseResult): string =>
  [
    ...Object.entries(runtimes).map(([runtime, m]) => `${runtime} ${m.token.median.toFixed(2)} ms`),
    ...Object.entries(absent).map(([runtime, why]) => `${runtime} failed: ${why}`),
  ].reduce((line, part) => `${line} ${part};`, `${name}:`);

async function measureCase(
  page: Page,
  { name, task }: GpuCase,
  names: readonly RuntimeName[],
  { rounds, tokens: most, models }: Settings,
): Promise<CaseResult> {
  const tokens = Math.min(task.tokens, most);
  const thread = await threadClock(page);
  const absent: Record<string, string> = {};
  const ready: { readonly runtime: RuntimeName; readonly cold: number; readonly times: Times[] }[] = [];
  const run = (runtime: RuntimeName, count: number): Promise<Times> =>
    page.evaluate(([r, n, c]) => bench.run(r, n, c), [runtime, name, count] as const);
  for (const runtime of names)
    try {
      if (runtime !== 'Transept' && !existsSync(join(models!, fileOf(task)))) {
        absent[runtime] = `there is no ${fileOf(task)}`;
        continue;
      }
      await page.evaluate((r) => bench.start(r), runtime);
      const prepared = await page.evaluate(([r, n, t]) => bench.prepare(r, n, t), [runtime, name, task] as const);
      if (prepared === undefined) continue;
      const { first } = await run(runtime, tokens && few);
      await run(runtime, tokens);
      ready.push({ runtime, cold: prepared + first, times: [] });
    } catch (error) {
      absent[runtime] = String(error).slice(0, 200);
    }
  for (let round = 0; round < rounds; round++)
    for (const { runtime, times } of ready) times.push(await run(runtime, tokens));

  const runtimes: Record<string, Measurement> = {};
  for (const { runtime, cold, times } of ready) {
    const count = (n: number): ReturnType<typeof bench.count> =>
      page.evaluate(([r, c, k]) => bench.count(r, c, k), [runtime, name, n] as const);
    const further = tokens > 0 ? tokens - few : 1;
    const none = { submits: 0, passes: 0, dispatches: 0, created: 0, written: 0, read: 0 };
    const spent = async (n: number): Promise<{ thread: number; processors: number }> => {
      const began = [await thread(), childrenMs() ?? NaN] as const;
      await run(runtime, n);
      return { thread: (await thread()) - began[0], processors: (childrenMs() ?? NaN) - began[1] };
    };
    const base = tokens > 0 ? await spent(few) : { thread: 0, processors: 0 };
    const each = times.map(({ first, rest }) => (tokens > 0 ? rest / (tokens - 1) : first)).toSorted((a, b) => a - b);
    const firsts = times.map(({ first }) => first).toSorted((a, b) => a - b);
    runtimes[runtime] = {
      cold,
      first: firsts[firsts.length >> 1]!,
      token: { median: each[each.length >> 1]!, best: each[0]!, worst: each.at(-1)! },
      ...perToken(await spent(tokens), base, further),
      counts: perToken(await count(tokens), tokens > 0 ? await count(few) : none, further),
    };
  }
  return { name, task: { ...task, tokens }, runtimes, absent };
}

/** Runtimes in turns, several times. */
async function measureOperator(
  page: Page,
  { name, operator }: GpuOperatorCase,
  onlyOurs: boolean,
  rounds: number,
): Promise<OperatorResult> {
  const names: OperatorRuntime[] = onlyOurs ? ['Transept'] : ['Transept', 'tfjs', 'jax-js'];
  const absent: Record<string, string> = {};
  const times = new Map<OperatorRuntime, number[]>();
  for (const runtime of names)
    try {
      await page.evaluate(([r, o]) => bench.prepareOperator(r, o), [runtime, operator] as const);
      times.set(runtime, []);
    } catch (error) {
      absent[runtime] = String(error).slice(0, 200);
    }
  for (let round = 0; round < 4 * rounds; round++)
    for (const [runtime, list] of times) list.push(await page.evaluate((r) => bench.runOperator(r), runtime));
  const runtimes = Object.fromEntries(
    [...times].map(([runtime, list]) => {
      const sorted = list.toSorted((a, b) => a - b);
      return [runtime, { median: sorted[sorted.length >> 1]!, best: sorted[0]!, worst: sorted.at(-1)! }];
    }),
  );
  for (const [runtime, why] of Object.entries(absent)) console.error(`${name}: ${runtime} failed: ${why}`);
  return { name, runtimes, absent };
}

/** Milliseconds that a page's thread has computed, WebAssembly and garbage collection included. */
async function threadClock(page: Page): Promise<() => Promise<number>> {
  const session: CDPSession = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1000 * metrics.find(({ name }) => name === 'ThreadTime')!.value;
  };
}
