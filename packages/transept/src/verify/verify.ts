// Does a model compute what its authors' code computes? Runs every call of a recording and compares all that comes out.
import { blobs, openFiles, readJson } from '@transept/checkpoint';
import type { Files, OpenFilesOptions } from '@transept/checkpoint';
import { forward, generate } from '@transept/generate';
import type { ForwardInputs } from '@transept/generate';
import { decoderIdsFrom } from '@transept/models';
import type { Targets, WeightType } from '@transept/models';
import type { Backend } from '@transept/tensor';
import { load } from '../load.ts';
import type { TextModel } from '../load.ts';
import { differing, relativeError } from './difference.ts';
import type { Positions } from './difference.ts';
import { openGolden } from './golden.ts';
import type { Golden, GoldenArray, GoldenCall } from './golden.ts';
import { lossFrom } from './loss.ts';

/** What is verified, against what, and how a hub is asked for it: revision, token, endpoint, cache. */
export interface VerifyOptions extends OpenFilesOptions {
  readonly backend: Backend;
  /** How matrices are stored on the device. Default: f32. */
  readonly weights?: WeightType;
  /** Largest error of an output that passes, relative to its spread. Default: 1e-4. */
  readonly bound?: number;
  /** Largest difference of a beam's score that passes. Default: 1e-3. */
  readonly scoreBound?: number;
  /** The recording, in the model's folder. Default: golden.json. */
  readonly golden?: string;
  /** Where the recording lies, if not in the model's folder. */
  readonly goldenFiles?: Files;
  /** A file of the folder to read in place of config.json. */
  readonly config?: string;
  /** Run only calls for which this is true. */
  readonly only?: (call: { readonly name: string; readonly kind: string }) => boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

/** `unsupported`: nothing here gives this output, so it was not compared. */
export type Verdict = 'passed' | 'failed' | 'unsupported';

export interface OutputReport {
  /** As in the recording; of a list, name and number of its worst entry. */
  readonly name: string;
  readonly verdict: Verdict;
  /** Largest error relative to the spread, difference of scores, or number of differing ids; NaN for missing or wrong sizes. */
  readonly error?: number;
}

export interface CallReport {
  readonly name: string;
  readonly kind: string;
  readonly verdict: Verdict;
  /** Why a call is unsupported, or what went wrong in it. */
  readonly reason?: string;
  readonly outputs: readonly OutputReport[];
}

export interface VerifyReport {
  readonly model: string;
  readonly modelType: string;
  readonly backend: string;
  readonly bound: number;
  /** Has no call failed? */
  readonly ok: boolean;
  readonly calls: readonly CallReport[];
}

/** Verify a model's folder (Node), address or `Files` against a recording. Throws where the model cannot be loaded. */
export async function verify(where: string | URL | Files, options: VerifyOptions): Promise<VerifyReport> {
  const { backend, bound = 1e-4, scoreBound = 1e-3, signal, onProgress, only = () => true } = options;
  const files = await openFiles(where, options);
  const golden = await openGolden(options.goldenFiles ?? files, options.golden ?? 'golden.json', signal);
  using model = await load(await withConfig(files, options.config ?? 'config.json', signal), {
    backend,
    ...(signal && { signal }),
    ...(options.weights && { weights: options.weights }),
  });
  const run: Run = { model, golden, bound, scoreBound, signal };
  const wanted = golden.calls.filter(only);
  const calls: CallReport[] = [];
  for (const call of wanted) {
    calls.push(await verifyCall(run, call));
    onProgress?.(calls.length, wanted.length);
  }
  const { modelType } = model.loaded.model;
  const ok = calls.every((call) => call.verdict !== 'failed');
  return { model: model.name, modelType, backend: backend.name, bound, ok, calls };
}

/**
 * The same files, with one of them as config.json, and in it the plain attention: recordings come from that, for no other gives
 * attention maps.
 */
async function withConfig(files: Files, config: string, signal?: AbortSignal): Promise<Files> {
  const json = { attn_implementation: 'eager', ...(await readJson(files, config, signal && { signal })) };
  const bytes = new TextEncoder().encode(JSON.stringify(json));
  const given = blobs({ 'config.json': new Blob([bytes]) }, files.name);
  const place = (path: string): Files => (path === 'config.json' ? given : files);
  return {
    name: files.name,
    has: (path, options) => place(path).has(path, options),
    size: (path, options) => place(path).size(path, options),
    read: (path, options) => place(path).read(path, options),
    ...(files.weights && { weights: (options) => files.weights!(options) }),
    ...(files.verified && { verified: (options) => files.verified!(options) }),
  };
}

interface Run {
  readonly model: TextModel;
  readonly golden: Golden;
  readonly bound: number;
  readonly scoreBound: number;
  readonly signal: AbortSignal | undefined;
}

async function verifyCall(run: Run, call: GoldenCall): Promise<CallReport> {
  const { name, kind } = call;
  const verifyKind = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!verifyKind) {
    const reason = `calls of kind "${kind}" are not verified; those of kind ${Object.keys(kinds).join(', ')} are`;
    return { name, kind, verdict: 'unsupported', reason, outputs: [] };
  }
  try {
    const outputs = await verifyKind(run, call);
    const failed = outputs.some((o) => o.verdict === 'failed');
    const compared = outputs.some((o) => o.verdict !== 'unsupported');
    return { name, kind, verdict: failed ? 'failed' : compared ? 'passed' : 'unsupported', outputs };
  } catch (error) {
    run.signal?.throwIfAborted();
    return { name, kind, verdict: 'failed', reason: (error as Error).message, outputs: [] };
  }
}

const kinds: Readonly<Record<string, (run: Run, call: GoldenCall) => Promise<OutputReport[]>>> = {
  forward: verifyForward,
  generate: verifyGenerate,
  kv_cache: verifyCaches,
  loss: verifyLoss,
};

async function verifyForward(run: Run, call: GoldenCall): Promise<OutputReport[]> {
  const { model, golden } = run;
  const inputs = await readInputs(golden, call);
  const names = Object.keys(call.outputs);
  const outputs = await forward(model.loaded, forwardInputs(inputs), {
    hiddenStates: names.some((n) => n.endsWith('hidden_states')),
    attentions: names.some((n) => n.endsWith('attentions')),
    ...(run.signal && { signal: run.signal }),
  });
  const reports: OutputReport[] = [];
  for (const [name, arrays] of Object.entries(call.outputs)) {
    const listed = typeof arrays !== 'string';
    const entries: OutputReport[] = [];
    for (const [i, array] of [arrays].flat().entries()) {
      const key = listed ? `${name}.${i}` : name;
      const expected = await golden.read(array);
      const positions = call.maskedPositions ? positionsOf(name, inputs) : undefined;
      const error = relativeError(expected, outputs[key]?.data ?? [], positions);
      entries.push({ name: key, verdict: error <= run.bound ? 'passed' : 'failed', error });
    }
    reports.push(worstOf(name, entries));
  }
  return reports;
}

/** Inputs of a recording that say what the outputs should have been. */
const targetNames: Readonly<Record<string, keyof Targets>> = {
  labels: 'labels',
  next_sentence_label: 'pairLabels',
  sentence_order_label: 'pairLabels',
  start_positions: 'startPositions',
  end_positions: 'endPositions',
};

async function verifyLoss(run: Run, call: GoldenCall): Promise<OutputReport[]> {
  const { model, golden } = run;
  const arrays = await readInputs(golden, call);
  const targets: Partial<Record<keyof Targets, GoldenArray>> = {};
  const inputs: Record<string, GoldenArray> = {};
  for (const [name, array] of Object.entries(arrays)) {
    const target = targetNames[name];
    if (target) targets[target] = array;
    else inputs[name] = array;
  }
  const given = forwardInputs(inputs);
  const { attention_mask: mask } = inputs;
  const routers = (call.args['output_router_logits'] ?? model.loaded.config['output_router_logits']) === true;
  const outputs = await forward(
    model.loaded,
    model.loaded.model.kind === 'encoder-decoder' && !given.decoderInputIds && targets.labels
      ? { ...given, decoderInputIds: decoderIdsFrom(rowsOf(targets.labels), model.loaded.config) }
      : given,
    { routers, ...(run.signal && { signal: run.signal }) },
  );
  const loss = await lossFrom(model.loaded, outputs, { ...targets, ...(mask && { mask }) });
  return Promise.all(
    Object.entries(call.outputs).map(async ([name, array]): Promise<OutputReport> => {
      if (name !== 'loss' || typeof array !== 'string') return { name, verdict: 'unsupported' };
      return report(name, relativeError(await golden.read(array), [loss]), run.bound);
    }),
  );
}

/** The positions of an output that carry meaning, where padded ones do not. */
function positionsOf(output: string, inputs: Readonly<Record<string, GoldenArray>>): Positions | undefined {
  const decoder = inputs['decoder_attention_mask'];
  if (output.startsWith('encoder_') && inputs['decoder_input_ids']) return undefined;
  const mask = inputs['decoder_input_ids'] ? decoder : inputs['attention_mask'];
  return mask && { mask, axis: output.endsWith('attentions') ? 2 : 1 };
}

async function verifyGenerate(run: Run, call: GoldenCall): Promise<OutputReport[]> {
  const { model, golden } = run;
  const generated = await generate(model.loaded, forwardInputs(await readInputs(golden, call)), {
    ...call.args,
    // Files that name no padding, as GGUF files may, leave it to whoever generates.
    generationConfig: {
      ...(golden.padTokenId !== undefined && { pad_token_id: golden.padTokenId }),
      ...model.generationConfig,
    },
    stepScores: 'step_scores' in call.outputs,
    ...(run.signal && { signal: run.signal }),
  });
  const arrays: Record<string, GoldenArray> = {};
  for (const [name, array] of Object.entries(call.outputs))
    if (typeof array === 'string') arrays[name] = await golden.read(array);
  const flat = (rows: readonly ArrayLike<number>[] = []): number[] => rows.flatMap((row) => Array.from(row));
  return Object.keys(call.outputs).map((name): OutputReport => {
    const expected = arrays[name];
    switch (expected && name) {
      case 'sequences':
        return report(name, differing(expected!.data, flat(generated.sequences)), 0);
      case 'beam_indices':
        return report(name, differing(expected!.data, flat(generated.beamIndices)), 0);
      case 'sequences_scores':
        return report(name, largestDifference(expected!.data, generated.scores ?? []), run.scoreBound);
      case 'step_scores': {
        const running = arrays['sequences'] && stillRunning(expected!, arrays['sequences'], endsOf(run, call));
        return report(name, relativeError(expected!, flat(generated.stepScores), running), run.bound);
      }
      default:
        return { name, verdict: 'unsupported' };
    }
  });
}

const report = (name: string, error: number, bound: number): OutputReport => ({
  name,
  verdict: error <= bound ? 'passed' : 'failed',
  error,
});

/** Ids that end a sequence. */
function endsOf({ model }: Run, { args }: GoldenCall): ReadonlySet<unknown> {
  return new Set([args['eos_token_id'] ?? model.generationConfig['eos_token_id']].flat());
}

/** Steps [step, B] at which a row had not ended: what is scored after the end means nothing. */
function stillRunning(scores: GoldenArray, sequences: GoldenArray, ends: ReadonlySet<unknown>): Positions {
  const [steps, rows] = scores.shape as [number, number];
  const length = sequences.shape[1]!;
  const mask = Int32Array.from({ length: steps * rows }, (_, at) => {
    const [step, row] = [Math.floor(at / rows), at % rows];
    const before = sequences.data.subarray(row * length + length - steps, row * length + length - steps + step);
    return Number(!before.some((id) => ends.has(id)));
  });
  return { mask: { shape: [steps, rows], data: mask }, axis: 1 };
}

/** Keys and values [B, G, T, D] that a forward call leaves in the caches. Which call that is stands in the note. */
async function verifyCaches(run: Run, call: GoldenCall): Promise<OutputReport[]> {
  const { model, golden } = run;
  const before = golden.calls.find((c) => c.kind === 'forward' && call.note.includes(`'${c.name}'`));
  if (!before) return Object.keys(call.outputs).map((name) => ({ name, verdict: 'unsupported' }));
  const inputs = await readInputs(golden, before);
  const outputs = await forward(model.loaded, forwardInputs(inputs), {
    caches: true,
    ...(run.signal && { signal: run.signal }),
  });
  const reports: OutputReport[] = [];
  for (const [name, arrays] of Object.entries(call.outputs)) {
    const entries: OutputReport[] = [];
    for (const [i, array] of [arrays].flat().entries()) {
      const expected = await golden.read(array);
      const cache = outputs[name.startsWith('cross_') ? `cross_caches.${i}` : `caches.${i}`];
      const actual = cache && keysOrValues(cache, expected.shape, name.endsWith('values'));
      const mask = name.startsWith('cross_') ? inputs['attention_mask'] : positionsOf(name, inputs)?.mask;
      const error = relativeError(expected, actual ?? [], mask && { mask, axis: 2 });
      entries.push({ name: `${name}.${i}`, verdict: error <= run.bound ? 'passed' : 'failed', error });
    }
    reports.push(worstOf(name, entries));
  }
  return reports;
}

/** The keys or the values of a cache [B, S, 2·G·D], keys first, as [B, G, T, D]. */
function keysOrValues(cache: GoldenArray, shape: readonly number[], values: boolean): Float32Array | undefined {
  const [rows, positions, width] = cache.shape as [number, number, number];
  const [b, g, t, d] = shape as [number, number, number, number];
  if (rows !== b || positions < t || width !== 2 * g * d) return undefined;
  return Float32Array.from({ length: b * g * t * d }, (_, i) => {
    const [row, head, position] = [Math.floor(i / (g * t * d)), Math.floor(i / (t * d)) % g, Math.floor(i / d) % t];
    return cache.data[(row * positions + position) * width + (values ? g * d : 0) + head * d + (i % d)]!;
  });
}

async function readInputs(golden: Golden, call: GoldenCall): Promise<Record<string, GoldenArray>> {
  const arrays: Record<string, GoldenArray> = {};
  for (const [name, array] of Object.entries(call.inputs)) arrays[name] = await golden.read(array);
  return arrays;
}

/** Matrices of ids as rows, everything else with its shape, under the names that `forward` gives them. */
function forwardInputs(arrays: Readonly<Record<string, GoldenArray>>): ForwardInputs {
  const inputs = Object.entries(arrays).map(([name, array]): [string, unknown] => {
    const key = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    return [key, array.shape.length === 2 && array.data instanceof Int32Array ? rowsOf(array) : array];
  });
  return Object.fromEntries(inputs) as unknown as ForwardInputs;
}

function rowsOf({ shape, data }: GoldenArray): ArrayLike<number>[] {
  const [rows, length] = shape as [number, number];
  return Array.from({ length: rows }, (_, r) => data.subarray(r * length, (r + 1) * length));
}

/** The worst entry of a list; of none, nothing was compared. */
function worstOf(name: string, entries: readonly OutputReport[]): OutputReport {
  if (entries.length === 0) return { name, verdict: 'unsupported' };
  return entries.reduce((worst, entry) => (entry.error! <= worst.error! || Number.isNaN(worst.error) ? worst : entry));
}

function largestDifference(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  if (expected.length !== actual.length) return NaN;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(expected[i]! - actual[i]!));
  return worst;
}
