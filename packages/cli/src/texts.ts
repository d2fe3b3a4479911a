// The texts a command works on: its arguments, the lines of a file, or of standard input. Each knows where it comes from, so
// that an error can say which one is meant.
import type { Model } from '@transept/models';
import type { TextModel } from 'transept';
import { CommandError } from './errors.ts';
import { nameOf, readLines } from './files.ts';
import type { Terminal } from './terminal.ts';

export interface SourceText {
  readonly text: string;
  /** For messages: `line 3 of FILE`. */
  readonly place: string;
}

export interface TextSources {
  readonly arguments: readonly string[];
  /** A file, or `-` for standard input. */
  readonly input?: string | undefined;
  /** The command, for messages. */
  readonly command: string;
}

/** The texts one after the other. Without arguments or a file they come from standard input, unless that is a terminal. */
export async function* sourceTexts(
  { arguments: given, input, command }: TextSources,
  terminal: Terminal,
): AsyncGenerator<SourceText, void, undefined> {
  if (given.length > 0 && input !== undefined)
    throw new CommandError(`${command}: there are texts and --input ${input}; expected one of them`);
  if (given.length === 0 && input === undefined && terminal.stdin.isTTY)
    throw new CommandError(
      `${command}: there is no text; give it as an argument, with --input FILE or on standard input`,
    );
  for (const [i, text] of given.entries()) yield { text, place: given.length > 1 ? `text ${i + 1}` : 'the text' };
  if (given.length > 0) return;
  const path = input ?? '-';
  let line = 0;
  for await (const text of readLines(path, terminal)) yield { text, place: `line ${++line} of ${nameOf(path)}` };
}

/** Can these be known without waiting for whoever writes to standard input? */
export const areAtHand = (sources: TextSources): boolean =>
  sources.arguments.length > 0 || (sources.input !== undefined && sources.input !== '-');

/** All of them. */
export async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Throws a CommandError for a text that the model cannot take, and says which. */
export function checkText({ text, place }: SourceText, model: TextModel, command: string): void {
  if (text.trim() === '') throw new CommandError(`${command}: ${place} is empty; expected a text`);
  const { tokenizer, name, loaded } = model;
  if (!tokenizer)
    throw new CommandError(`${command}: ${name} has no tokenizer.json; use forward or generate with input_ids`);
  const most = longestText(loaded.model);
  const { length } = tokenizer.ids(text);
  if (length > most)
    throw new CommandError(
      `${command}: ${place} is too long: it has ${length} tokens; this model takes at most ${most}`,
    );
}

/** The most tokens of a text that a model takes. */
export function longestText(model: Model): number {
  switch (model.kind) {
    case 'decoder':
      return model.maxPositions - 1;
    case 'encoder-decoder':
      return model.maxSourcePositions;
    case 'encoder':
      return model.maxPositions;
    case 'vision':
      return 0;
    default:
      return model satisfies never;
  }
}
