// Classes of tokens, joined to what they name: persons, places, parts of speech.
import type { TextModel } from '../load.ts';
import { headOutputs, probabilities, taskModel } from './run.ts';
import type { TaskModel, TaskOptions } from './run.ts';

export interface Entity {
  readonly label: string;
  /** The mean probability over its tokens. */
  readonly score: number;
  /** Where it stands in the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface TokenClassifyOptions extends TaskOptions {
  /**
   * Join neighbouring tokens of one class; `B-` and `I-` before a class say where one begins and goes on. Default: true. Without,
   * every token is by itself.
   */
  readonly join?: boolean;
  /** A class that means nothing. Default: O. */
  readonly outside?: string;
}

interface Classified extends Entity {
  /** The class without what says where it begins. */
  readonly kind: string;
  readonly begins: boolean;
}

/** What each text names, from its beginning to its end. Texts that are too long are cut. */
export async function tokenClassify(
  model: TextModel,
  texts: readonly string[],
  { join = true, outside = 'O', ...options }: TokenClassifyOptions = {},
): Promise<Entity[][]> {
  const task = taskModel(model, 'tokenClassify', ['tokenClassification']);
  const encodings = task.tokenizer.encodeBatch(texts, { truncation: { maxLength: task.maxTokens }, padding: false });
  const outputs = await headOutputs(model, task, encodings, options);
  return outputs.map(({ logits }, i) => {
    const { offsets, specialTokensMask } = encodings[i]!;
    const places = offsets.map((offset, t) => (specialTokensMask[t] ? undefined : offset));
    const tokens = classified(task, texts[i]!, logits!.data, places);
    return (join ? joined(tokens, texts[i]!) : tokens)
      .filter(({ label }) => label !== outside)
      .map(({ label, score, start, end, text }) => ({ label, score, start, end, text }));
  });
}

function classified(
  { encoder: { labels = [] } }: TaskModel,
  text: string,
  logits: Float32Array,
  places: readonly (readonly [number, number] | undefined)[],
): Classified[] {
  return places.flatMap((place, t) => {
    if (!place) return [];
    const scores = probabilities(logits.subarray(t * labels.length, (t + 1) * labels.length));
    const best = scores.indexOf(scores.reduce((a, b) => Math.max(a, b)));
    const [start, end] = place;
    const label = labels[best]!;
    const [, where, kind] = /^([BI])-(.*)$/.exec(label) ?? [undefined, 'I', label];
    return [
      { label, score: scores[best]!, start, end, text: text.slice(start, end), kind: kind!, begins: where === 'B' },
    ];
  });
}

/** Tokens of one class that follow each other as one. */
function joined(tokens: readonly Classified[], text: string): Classified[] {
  const groups: Classified[][] = [];
  for (const token of tokens) {
    const last = groups.at(-1);
    if (last && last[0]!.kind === token.kind && !token.begins) last.push(token);
    else groups.push([token]);
  }
  return groups.map((group) => {
    const [{ kind, start, begins }, { end }] = [group[0]!, group.at(-1)!];
    const score = group.reduce((sum, token) => sum + token.score, 0) / group.length;
    return { label: kind, score, start, end, text: text.slice(start, end), kind, begins };
  });
}
