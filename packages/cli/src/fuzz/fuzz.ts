// Changes valid files at random and opens them. Whatever a file says, the answer is a result or an error that names what is wrong
// with it: never another error, never more than a moment, never more memory than the file's size gives a reason for.
import type { Files } from '@transept/checkpoint';
import { mutateBytes, mutateJson } from './mutate.ts';
import { openAll } from './open.ts';
import { random } from './random.ts';
import { headOf, replaced } from './samples.ts';
import type { Sample } from './samples.ts';

export interface Finding {
  readonly seed: number;
  readonly sample: string;
  readonly path: string;
  readonly kind: 'error' | 'slow' | 'memory';
  readonly detail: string;
}

export interface FuzzOptions {
  readonly samples: readonly Sample[];
  /** The first seed, and how many follow. Default: 0 and 1,000. */
  readonly seed?: number;
  readonly seeds?: number;
  readonly signal?: AbortSignal;
  /** Called before each seed. */
  readonly onSeed?: (seed: number) => void;
  readonly onFinding?: (finding: Finding) => void;
  /** A file that takes this much time of the processor is a finding. Default: 2,000. */
  readonly slowMs?: number;
  /** What is done with the changed files; gives the errors. Default: everything. */
  readonly open?: (files: Files, path: string) => Promise<readonly unknown[]>;
}

export interface FuzzReport {
  readonly seeds: number;
  /** Changed files that were refused, and that were still good. */
  readonly refused: number;
  readonly accepted: number;
  readonly findings: readonly Finding[];
}

/** Errors that say what is wrong with what was given. */
const named = new Set([
  'CheckpointError',
  'ConfigError',
  'TokenizerError',
  'UnsupportedError',
  'BackendError',
  'MemoryError',
  'ShapeError',
  'DTypeError',
]);

/** Memory that one file may take beyond 64 times its size. */
const MEMORY_BYTES = 128e6;

export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { samples, seed = 0, seeds = 1000, signal, onSeed, onFinding, slowMs = 2000, open = openAll } = options;
  const inputs = await Promise.all(
    samples.flatMap((sample) =>
      sample.paths.map(async (path) => ({ sample, path, head: await headOf(sample.files, path) })),
    ),
  );
  const findings: Finding[] = [];
  let refused = 0;
  for (let at = seed; at < seed + seeds; at++) {
    signal?.throwIfAborted();
    onSeed?.(at);
    const dice = random(at);
    const { sample, path, head } = dice.pick(inputs);
    const changed =
      path.endsWith('.json') && dice.below(3) > 0
        ? new TextEncoder().encode(mutateJson(new TextDecoder().decode(head), dice))
        : mutateBytes(head, dice);
    const files = replaced(sample.files, path, head.length, changed);
    const found = (kind: Finding['kind'], detail: string): void => {
      findings.push({ seed: at, sample: sample.name, path, kind, detail });
      onFinding?.(findings.at(-1)!);
    };
    const { errors, ms, bytes } = await measured(() => open(files, path));
    if (errors.length > 0) refused++;
    for (const error of errors) if (!isNamed(error)) found('error', describe(error));
    if (ms > slowMs) found('slow', `${Math.round(ms)} ms`);
    const size = await files.size(path);
    if (bytes > MEMORY_BYTES + 64 * size) found('memory', `${Math.round(bytes / 1e6)} MB for a file of ${size} bytes`);
  }
  return { seeds, refused, accepted: seeds - refused, findings };
}

async function measured<T>(
  run: () => Promise<readonly T[]>,
): Promise<{ errors: readonly T[]; ms: number; bytes: number }> {
  const before = memory();
  // Time of this process, not of a machine that has other things to do.
  const began = process.cpuUsage();
  const errors = await run();
  const { user, system } = process.cpuUsage(began);
  return { errors, ms: (user + system) / 1000, bytes: memory() - before };
}

const memory = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

const isNamed = (error: unknown): boolean => error instanceof Error && named.has(error.name);

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [where] = (error.stack ?? '').split('\n').filter((line) => line.trim().startsWith('at '));
  return `${error.name}: ${error.message.slice(0, 200)} ${where?.trim() ?? ''}`.trim();
}
