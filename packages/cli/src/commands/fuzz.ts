// `transept fuzz`: valid files made wrong at random and opened. Whatever comes of it, a seed repeats it.
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { folder } from '@transept/checkpoint';
import type { Command } from 'commander';
import { wholeNumber } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { fuzz } from '../fuzz/fuzz.ts';
import type { Finding, FuzzReport } from '../fuzz/fuzz.ts';
import { ggufSample, ownSamples, sampleOf } from '../fuzz/samples.ts';
import type { Sample } from '../fuzz/samples.ts';
import { fixtures } from '../places.ts';
import { Progress } from '../progress.ts';
import { print } from '../terminal.ts';

interface FuzzCommandOptions {
  readonly seeds: number;
  readonly seed: number;
  readonly json?: true;
}

export function addFuzz(program: Command, context: Context): void {
  program
    .command('fuzz [path...]')
    .description(
      'change valid model files at random and open them; exit code 1 when one crashes, hangs or takes memory',
    )
    .option('--seeds <n>', 'how many changed files', wholeNumber(1), 10_000)
    .option('--seed <n>', 'the first seed: the same gives the same changes', wholeNumber(0), 0)
    .option('--json', 'print JSON')
    .addHelpText('after', '\npath: folders of models and .gguf files. Without, small files made for it.')
    .action((paths: string[], options: FuzzCommandOptions) => run(context, paths, options));
}

async function run(context: Context, paths: readonly string[], options: FuzzCommandOptions): Promise<void> {
  const { terminal } = context;
  const samples = paths.length > 0 ? await Promise.all(paths.map(sampleAt)) : [...ownSamples(), ...shippedSamples()];
  using progress = new Progress(terminal.stderr, 'fuzz');
  using watch = new Watch();
  const report = await fuzz({
    samples,
    seed: options.seed,
    seeds: options.seeds,
    signal: terminal.signal,
    onSeed(seed) {
      watch.at(seed);
      progress.update(seed - options.seed, options.seeds);
    },
    onFinding: (finding) => void terminal.stderr.write(`transept: fuzz: ${line(finding)}\n`),
  });
  await print(terminal.stdout, options.json ? `${JSON.stringify(report, null, 2)}\n` : show(report));
  if (report.findings.length > 0) context.finish(exitCodes.disagreement);
}

const sampleAt = (path: string): Promise<Sample> =>
  path.endsWith('.gguf')
    ? Promise.resolve(ggufSample(path, folder(dirname(path)), basename(path)))
    : sampleOf(path, folder(path));

/** GGUF files of the repository; none in the published package. */
function shippedSamples(): Sample[] {
  const at = join(fixtures, 'gguf');
  const names = safeList(at).filter((name) => /^(llama|gemma2|mixtral|t5-v11|vocab-(?!t5).*)\.gguf$/.test(name));
  return names.map((name) => ggufSample(name, folder(at), name));
}

function safeList(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

const line = ({ seed, sample, path, kind, detail }: Finding): string =>
  `seed ${seed}: ${sample}/${path}: ${kind}: ${detail}`;

function show({ seeds, refused, accepted, findings }: FuzzReport): string {
  return `${[...findings.map(line), `${seeds} changed files: ${refused} refused, ${accepted} opened, ${findings.length} findings`].join('\n')}\n`;
}

/** Ends the process when a seed takes so long: nothing within it could. */
const HANG_MS = 15_000;

class Watch implements Disposable {
  readonly #seed = new Float64Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;

  constructor() {
    const source = `
      const { workerData } = require('node:worker_threads');
      const { writeSync } = require('node:fs');
      let last = -1;
      let since = Date.now();
      setInterval(() => {
        if (workerData[0] !== last) {
          last = workerData[0];
          since = Date.now();
        } else if (Date.now() - since > ${HANG_MS}) {
          writeSync(2, 'transept: fuzz: seed ' + last + ' hangs\\n');
          process.kill(process.pid, 'SIGKILL');
        }
      }, 500);`;
    this.#worker = new Worker(source, { eval: true, workerData: this.#seed });
    this.#worker.unref();
  }

  at(seed: number): void {
    this.#seed[0] = seed;
  }

  [Symbol.dispose](): void {
    void this.#worker.terminate();
  }
}
