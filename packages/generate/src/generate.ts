// Generation: from prompts or sources to sequences, with the meaning of `generate` in transformers. Greedy search lets the device
// choose wherever the options allow it; everything else reads the logits and chooses on the host.
import type { DecoderModel, EncoderDecoderModel, LoadedModel } from '@transept/models';
import { longestOf } from './batch.ts';
import type { Batch } from './batch.ts';
import { BeamSearch } from './beam.ts';
import { TokenChooser } from './choose.ts';
import { promptContext, sourceContext } from './contexts.ts';
import type { ContextSize } from './contexts.ts';
import { Course } from './course.ts';
import type { OnDeviceLost } from './course.ts';
import { Decoding } from './decoding.ts';
import type { Choice, Context, DecodingOptions } from './decoding.ts';
import {
  checkInputs,
  checkTokens,
  generative,
  paddedPrompt,
  paddedSources,
  sourceBatch,
  startTokens,
} from './inputs.ts';
import type { GenerateInputs } from './inputs.ts';
import type { OnPrepare } from './instance.ts';
import { OptionError, resolveLengths } from './options.ts';
import type { GenerationOptions, Lengths, ResolvedOptions } from './options.ts';
import { buildChain, planGreedy } from './processors/chain.ts';
import type { Chain, GreedyPlan } from './processors/chain.ts';
import type { Processor } from './processors/processor.ts';
import { borrow } from './pool.ts';
import { resolveOptions } from './resolve.ts';
import { randomSeed, uniforms } from './sampling.ts';
import type { SpeechOptions } from './speech/settings.ts';
import { hearsSpeech, speechCall, transcribe } from './speech/transcribe.ts';

export interface GenerateOptions extends GenerationOptions, SpeechOptions {
  /** Contents of generation_config.json: what holds where the call says nothing. */
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  /** Also give the scores that every token was chosen from; not with beams. */
  readonly stepScores?: boolean;
  /**
   * Called where the device is lost: gives the model on another one, where the same tokens come out from there on. What it gives is
   * the caller's to dispose of. Default: the DeviceLostError is thrown.
   */
  readonly onDeviceLost?: OnDeviceLost;
  /** Called while programs are made ready that the call needs: at the first one of its size, mostly. */
  readonly onPrepare?: OnPrepare;
  /** Called after every step. */
  readonly onStep?: (step: StepReport) => void;
}

export interface StepReport {
  /** Tokens generated for each row so far. */
  readonly generated: number;
  /** Kernels started for one further token. */
  readonly dispatches: number;
}

export interface Generated {
  /** As transformers returns them: from the decoder's start token or the prompt on, padded to the longest. */
  readonly sequences: readonly Int32Array[];
  /** Where each sequence ends: what follows is padding. */
  readonly lengths: readonly number[];
  /** With beams: sums of log-probabilities over length to the power of the length penalty. */
  readonly scores?: readonly number[];
  /** With beams: for each generated token, the row of the step before that it extended; -1 after the end. */
  readonly beamIndices?: readonly Int32Array[];
  /** On request: for each generated token, what the processors made of the logits, [rows, V]. */
  readonly stepScores?: readonly Float32Array[];
}

/** What a family adds to generation. */
export interface FamilyRules {
  /** Options that the family deals with itself, in every spelling. */
  readonly names?: ReadonlySet<string>;
  readonly processors?: (options: ResolvedOptions, lengths: Lengths) => readonly Processor[];
}

/** Generate a sequence for each row of the inputs, or `numReturnSequences` for each. */
export async function generate(
  loaded: LoadedModel,
  inputs: GenerateInputs,
  options: GenerateOptions = {},
): Promise<Generated> {
  return hearsSpeech(loaded)
    ? transcribe(loaded, inputs, options, generateOnce)
    : generateOnce(loaded, inputs, options);
}

/** One search. `rules` are those of a family. */
async function generateOnce(
  loaded: LoadedModel,
  inputs: GenerateInputs,
  options: GenerateOptions,
  rules?: FamilyRules,
): Promise<Generated> {
  const { onStep } = options;
  using run = await prepare(loaded, inputs, options, rules);
  if (run.options.numBeams > 1) return await searchBeams(run, onStep);
  const rows = run.prompts.map((prompt) => [...prompt]);
  let generated = 0;
  for await (const tokens of chooseTokens(run)) {
    tokens.forEach((token, r) => token !== undefined && rows[r]!.push(token));
    onStep?.({ generated: ++generated, dispatches: run.course.dispatches });
  }
  const longest = longestOf(rows);
  return {
    sequences: rows.map((r) => Int32Array.from({ length: longest }, (_, i) => r[i] ?? run.pad)),
    lengths: rows.map((r) => r.length),
    ...(run.stepScores && { stepScores: run.stepScores }),
  };
}

/** Generate step by step: the next token of each row, undefined for rows that have ended. Greedy or sampled. */
export async function* stream(
  loaded: LoadedModel,
  inputs: GenerateInputs,
  options: GenerateOptions = {},
): AsyncGenerator<readonly (number | undefined)[], void, undefined> {
  const speech = hearsSpeech(loaded) ? await speechCall(loaded, inputs, options) : undefined;
  using run = speech
    ? await prepare(loaded, speech.inputs, speech.options, speech.rules)
    : await prepare(loaded, inputs, options);
  if (run.options.numBeams > 1)
    throw new OptionError(
      `stream: option numBeams is ${run.options.numBeams}; beams are only known at the end, so set it to 1 or use generate`,
    );
  let generated = 0;
  for await (const tokens of chooseTokens(run)) {
    options.onStep?.({ generated: ++generated, dispatches: run.course.dispatches });
    yield tokens;
  }
}

/** Everything that one call of `generate` holds. */
interface Run extends Disposable {
  readonly options: ResolvedOptions;
  readonly lengths: Lengths;
  readonly chain: Chain;
  readonly greedy: GreedyPlan;
  readonly choice: Choice;
  readonly course: Course;
  /** What each sequence begins with, as transformers returns it. */
  readonly prompts: readonly Int32Array[];
  /** What the decoder is given first, [rows, length]. */
  readonly start: { readonly ids: Int32Array; readonly length: number };
  readonly pad: number;
  /** Gathers the scores of every step, where they are wanted. */
  readonly stepScores: Float32Array[] | undefined;
  readonly signal: AbortSignal | undefined;
}

async function prepare(
  loaded: LoadedModel,
  inputs: GenerateInputs,
  call: GenerateOptions,
  { names, processors }: FamilyRules = {},
): Promise<Run> {
  const { generationConfig, signal, onDeviceLost, onPrepare, onStep: _, stepScores = false, ...callOptions } = call;
  const { config } = loaded;
  const model = generative(loaded);
  const options = resolveOptions({
    config,
    call: callOptions,
    ...(generationConfig && { generationConfig }),
    ...(names && { family: names }),
  });
  const copies = options.numBeams > 1 ? options.numBeams : options.numReturnSequences;
  const pad = options.padTokenId ?? options.eosTokenId[0] ?? 0;
  checkInputs(model, inputs);
  checkTokens(options, model.vocabSize);
  const given = model.kind === 'decoder' ? undefined : sourceBatch(model, inputs);
  const prompt = given
    ? startTokens(model as EncoderDecoderModel, given.rows, inputs, options)
    : paddedPrompt(model as DecoderModel, inputs, { pad, copies });
  const lengths = resolveLengths(options, prompt.shown.length, { maxPositions: model.maxPositions });
  const sources = model.kind === 'decoder' || !inputs.inputIds ? undefined : paddedSources(inputs.inputIds, pad);
  const padding = prompt.padding && { padding: prompt.padding };
  const rules = processors ? { rules: processors(options, lengths) } : {};
  const chain = buildChain(options, { lengths, ...(sources && { sources }), ...padding, ...rules });
  const greedy = planGreedy(chain);
  if (stepScores && options.numBeams > 1)
    throw new OptionError(`generate: option stepScores is true with numBeams ${options.numBeams}; expected one beam`);
  const onHost = stepScores || options.doSample || greedy.needsHost;
  const choice: Choice = options.numBeams > 1 ? 'normed' : onHost ? 'logits' : 'best';
  if (lengths.maxLength > model.maxPositions)
    throw new OptionError(
      `generate: option maxLength comes to ${lengths.maxLength} positions; this model takes at most ${model.maxPositions}`,
    );
  const read = given ?? prompt.fed;
  const size: ContextSize = { rows: read.rows, length: 'length' in read ? read.length : 0, copies, signal, onPrepare };
  const use: DecodingOptions = { choice, bans: choice === 'best' && greedy.bansFrom(lengths.promptLength) };
  const key = JSON.stringify([size.rows, size.length, prompt.fed.length, copies, choice, use.bans]);
  const course = await Course.open(loaded, {
    onDeviceLost,
    open: async (on) => {
      using undo = new DisposableStack();
      const borrowed = undo.use(
        await borrow(on, 'decoding', key, async () => new Decoding(await contextOf(on, size), use)),
      );
      const surplus = prompt.fed.length - prompt.shown.length;
      const { maxLength } = lengths;
      borrowed.it.begin(read, { bannedAt: greedy.bannedAt, surplus, maxLength, signal, onPrepare });
      undo.move();
      return borrowed;
    },
  });
  const repeat = ({ ids, length, rows }: Batch): Int32Array[] =>
    Array.from({ length: rows * copies }, (_, r) =>
      ids.slice(Math.floor(r / copies) * length, Math.floor(r / copies) * length + length),
    );
  const fed = repeat(prompt.fed);
  const start = new Int32Array(fed.length * prompt.fed.length);
  fed.forEach((row, r) => start.set(row, r * row.length));
  return {
    options,
    lengths,
    chain,
    greedy,
    choice,
    course,
    prompts: repeat(prompt.shown),
    start: { ids: start, length: prompt.fed.length },
    pad,
    stepScores: stepScores ? [] : undefined,
    signal,
    [Symbol.dispose]: () => course[Symbol.dispose](),
  };
}

function contextOf(loaded: LoadedModel, size: ContextSize): Promise<Context> | Context {
  const model = generative(loaded);
  return model.kind === 'decoder' ? promptContext(loaded, model, size) : sourceContext(loaded, model, size);
}

/** The next token of each row, until all rows have ended or are full. */
async function* chooseTokens(run: Run): AsyncGenerator<readonly (number | undefined)[], void, undefined> {
  const { course, options, lengths, greedy, chain, prompts, signal } = run;
  const rows = prompts.length;
  const ends = new Set(options.eosTokenId);
  const ended = prompts.map(() => false);
  const chooser = run.choice === 'logits' ? new TokenChooser(prompts, chain, options) : undefined;
  const pause = pauses();
  let left = rows;
  await course.prompt(run.start.ids, run.start.length);
  for (let length = lengths.promptLength; ; length++) {
    const last = length + 1 === lengths.maxLength;
    const forced = chooser ? undefined : greedy.forcedAt(length);
    const given = forced === undefined ? undefined : new Int32Array(rows).fill(forced);
    const tokens = chooser
      ? choose(chooser, await course.logits(), run.stepScores)
      : await course.best(last ? undefined : (given ?? 'best'));
    if (given) tokens.set(given);
    signal?.throwIfAborted();
    const chosen = new Array<number | undefined>(rows);
    for (let r = 0; r < rows; r++) {
      chosen[r] = ended[r] ? undefined : tokens[r]!;
      if (ended[r] || !ends.has(tokens[r]!)) continue;
      ended[r] = true;
      left--;
    }
    yield chosen;
    if (left === 0 || last) break;
    if (!course.queued) await pause();
    await course.step(chooser ? tokens : given);
  }
  course.done();
}

function choose(chooser: TokenChooser, logits: Float32Array, stepScores: Float32Array[] | undefined): Int32Array {
  if (!stepScores) return chooser.next(logits);
  const scores = new Float32Array(logits.length);
  stepScores.push(scores);
  return chooser.next(logits, scores);
}

async function searchBeams(run: Run, onStep: GenerateOptions['onStep']): Promise<Generated> {
  const { course, options, lengths, chain, signal } = run;
  const prompts = run.prompts.filter((_, r) => r % options.numBeams === 0);
  const search = new BeamSearch(prompts, {
    options,
    lengths,
    chain,
    ...(options.doSample && { random: uniforms(options.seed ?? randomSeed()) }),
  });
  const pause = pauses();
  await course.prompt(run.start.ids, run.start.length);
  for (let generated = 1; ; generated++) {
    const { tokens, sources, done } = search.step(await course.normed());
    signal?.throwIfAborted();
    onStep?.({ generated, dispatches: course.dispatches });
    if (done) break;
    await course.reorder(sources);
    await course.step(tokens);
    if (!course.queued) await pause();
  }
  course.done();
  const { sequences, lengths: ends, scores, beamIndices } = search.result();
  const rows = (lists: number[][]): Int32Array[] => lists.map((list) => Int32Array.from(list));
  return { sequences: rows(sequences), lengths: ends, scores, beamIndices: rows(beamIndices) };
}

/** Now and then gives the event loop its turn, so that timers, messages and cancelling get through on a synchronous backend. */
function pauses(): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < 20) return;
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
  };
}
