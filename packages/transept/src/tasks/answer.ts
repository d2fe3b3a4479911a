// Answers that stand in a text.
import { InputError } from '@transept/generate';
import type { Encoding } from '@transept/tokenizer';
import type { TextModel } from '../load.ts';
import { headOutputs, probabilities, taskModel } from './run.ts';
import type { TaskOptions } from './run.ts';

export interface Answer {
  readonly text: string;
  /** How likely it begins and ends there, among all places of its piece of the text. */
  readonly score: number;
  /** Where it stands in the context, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

export interface AnswerOptions extends TaskOptions {
  /** How many of the best to give. Default: 1. */
  readonly top?: number;
  /** Longest answer, in tokens. Default: 15. */
  readonly maxAnswerTokens?: number;
  /** A text that is too long is read in pieces that share so many tokens. Default: 128, or half a piece where that is less. */
  readonly stride?: number;
}

/** The places of the context that answer the question, best first. */
export async function answer(
  model: TextModel,
  { question, context }: { readonly question: string; readonly context: string },
  { top = 1, maxAnswerTokens = 15, stride, ...options }: AnswerOptions = {},
): Promise<Answer[]> {
  const task = taskModel(model, 'answer', ['questionAnswering']);
  const maxLength = Math.min(task.maxTokens, 384);
  const asked = task.tokenizer.ids(question, { truncation: false, padding: false }).length;
  if (asked > maxLength - 8)
    throw new InputError(`answer: the question has ${asked} tokens; at most ${maxLength - 8} leave room for a text`);
  const overlap = stride ?? Math.min(128, Math.floor((maxLength - asked) / 2));
  const whole = task.tokenizer.encode(question, {
    pair: context,
    truncation: { maxLength, strategy: 'only_second', stride: overlap },
    padding: false,
  });
  const pieces = [whole, ...whole.overflowing];
  const outputs = await headOutputs(model, task, pieces, options);
  const found = pieces.flatMap((piece, i) =>
    spans(piece, outputs[i]!['start_logits']!.data, outputs[i]!['end_logits']!.data, maxAnswerTokens, top),
  );
  const best = new Map<string, Answer>();
  for (const { start, end, score } of found.sort((a, b) => b.score - a.score)) {
    const key = `${start} ${end}`;
    if (!best.has(key)) best.set(key, { text: context.slice(start, end), score, start, end });
  }
  return [...best.values()].slice(0, top);
}

type Span = Omit<Answer, 'text'>;

/** The best spans of one piece: tokens of the context from a likely start to a likely end. */
function spans(
  piece: Encoding,
  startLogits: Float32Array,
  endLogits: Float32Array,
  longest: number,
  top: number,
): Span[] {
  const { offsets } = piece;
  const inContext = contextTokens(piece);
  if (!inContext.includes(true)) return [];
  const [starts, ends] = [startLogits, endLogits].map((logits) =>
    probabilities(logits.map((x, t) => (inContext[t] ? x : -Infinity))),
  );
  const found: Span[] = [];
  for (let s = 0; s < offsets.length; s++)
    for (let e = s; inContext[s] && e < Math.min(offsets.length, s + longest); e++)
      if (inContext[e]) found.push({ score: starts![s]! * ends![e]!, start: offsets[s]![0], end: offsets[e]![1] });
  return found.sort((a, b) => b.score - a.score).slice(0, top);
}

/** Which tokens are of the second text: those behind the special tokens that follow the first. */
function contextTokens({ specialTokensMask }: Encoding): boolean[] {
  const first = specialTokensMask.indexOf(0);
  const border = specialTokensMask.indexOf(1, first);
  return specialTokensMask.map((special, t) => special === 0 && t > border);
}
