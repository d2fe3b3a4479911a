// One backend by itself: what it makes of the texts, how long it takes and how much memory.
import { generate } from '@transept/generate';
import type { OpenedModel } from '../models.ts';
import { Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';

export interface MeasureOptions {
  /** 1 is greedy. */
  readonly beams: number;
}

/** What was made of one text. */
export interface Measured {
  readonly text: string;
  readonly sourceIds: readonly number[];
  /** From the decoder's start token or the prompt on, to the end token. */
  readonly ids: readonly number[];
}

export interface BackendReport {
  readonly backend: string;
  readonly details: Readonly<Record<string, string | number | boolean>>;
  /** Making the backend and putting the weights on it. */
  readonly loadMs: number;
  /** From the text to its first token: for the first text, which has to make its programs, and the median of the others. */
  readonly firstTokenMs: number;
  readonly laterFirstTokenMs: number | null;
  readonly tokens: number;
  /** Over all texts, one at a time, first tokens included. */
  readonly tokensPerSecond: number;
  /** Kernels started for one further token. */
  readonly kernelCallsPerToken: number;
  /** The most memory there was on the device, and by how much the process grew. */
  readonly devicePeakBytes: number;
  readonly processGrowthBytes: number;
  readonly texts: readonly Measured[];
}

/** Memory of the process before a backend is made, to tell afterwards how much came with it. */
export const processBytes = (): number => process.memoryUsage.rss();

export async function measure(
  { model, backend, loadMs }: OpenedModel,
  name: string,
  sources: readonly (readonly number[])[],
  { beams, terminal, bytesBefore }: MeasureOptions & { readonly terminal: Terminal; readonly bytesBefore: number },
): Promise<BackendReport> {
  using progress = new Progress(terminal.stderr, `running on ${name}`);
  const firstTokenMs: number[] = [];
  const texts: Measured[] = [];
  let [tokens, totalMs, kernelCalls, processPeak] = [0, 0, 0, processBytes()];
  for (const [i, sourceIds] of sources.entries()) {
    const began = performance.now();
    let steps = 0;
    const { sequences } = await generate(
      model.loaded,
      { inputIds: [sourceIds] },
      {
        generationConfig: model.generationConfig,
        numBeams: beams,
        numReturnSequences: 1,
        signal: terminal.signal,
        onStep({ generated, dispatches }) {
          if (steps === 0) firstTokenMs.push(performance.now() - began);
          steps = generated;
          kernelCalls = dispatches;
          progress.update(i, sources.length, `${i + 1} of ${sources.length}: ${generated} tokens`);
        },
      },
    );
    totalMs += performance.now() - began;
    tokens += steps;
    processPeak = Math.max(processPeak, processBytes());
    const ids = [...sequences[0]!];
    texts.push({ text: model.tokenizer!.decode(ids), sourceIds, ids });
  }
  return {
    backend: name,
    details: backend.capabilities.details,
    loadMs,
    firstTokenMs: firstTokenMs[0]!,
    laterFirstTokenMs: median(firstTokenMs.slice(1)),
    tokens,
    tokensPerSecond: tokens / (totalMs / 1000),
    kernelCallsPerToken: kernelCalls,
    devicePeakBytes: backend.memory.peak,
    processGrowthBytes: Math.max(0, processPeak - bytesBefore),
    texts,
  };
}

function median(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return null;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
