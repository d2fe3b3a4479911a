// `pnpm bench cpu`: operators and whole models, ours and the peers' in this process or in one of their own, in turns.
import { parseArgs } from 'node:util';
import { useClock } from '../measure.ts';
import { installPeers } from '../peers/installed.ts';
import { jax } from '../peers/jax.ts';
import { nativePeers, needsModels } from '../peers/native.ts';
import { onnxruntimeNode, onnxruntimeWeb } from '../peers/onnxruntime.ts';
import { tfjs } from '../peers/tfjs.ts';
import { transformers } from '../peers/transformers.ts';
import { asMarkdown, machine } from '../report.ts';
import type { Report } from '../report.ts';
import type { Runtime } from '../runtime.ts';
import { sweep } from '../sweep.ts';
import { transept } from '../transept.ts';

const pageOnly = 'it runs in pages only: pnpm bench page';

export async function bench(args: readonly string[]): Promise<string> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      seconds: { type: 'string', default: '0.5' },
      threads: { type: 'string', default: '1' },
      'only-ours': { type: 'boolean', default: false },
      models: { type: 'string' },
      python: { type: 'string', default: 'python3' },
      clock: { type: 'string', default: 'wall' },
    },
  });
  const { only, models, python, clock } = values;
  const threads = Number(values.threads);
  if (clock !== 'wall' && clock !== 'cpu') throw new Error(`bench: --clock is wall or cpu, not ${clock}`);
  useClock(clock);

  const runtimes: Runtime[] = [await transept(threads)];
  const leftOut: Record<string, string> = {};
  if (!values['only-ours']) {
    installPeers();
    runtimes.push(await onnxruntimeWeb(threads), await tfjs(threads));
    if (threads === 1) runtimes.push(await jax());
    else leftOut['jax-js (wasm)'] = 'outside of pages it knows one thread only';
    runtimes.push(await onnxruntimeNode(threads));
    if (models) runtimes.push(await transformers(threads, models));
    else leftOut['transformers.js (wasm)'] = needsModels;
    leftOut['wllama (page)'] = pageOnly;
    const native = await nativePeers({ threads, models, python });
    runtimes.push(...native.runtimes);
    Object.assign(leftOut, native.leftOut);
  }
  const versions = Object.fromEntries(runtimes.map(({ name, version }) => [name, version]));
  const results = await sweep(runtimes, { only, seconds: Number(values.seconds) });
  for (const runtime of runtimes) await runtime.dispose?.();
  const report: Report = {
    machine: machine(),
    engine: `Node ${process.version}`,
    clock,
    threads,
    versions,
    leftOut,
    results,
  };
  return values.json ? JSON.stringify(report) : asMarkdown(report);
}
