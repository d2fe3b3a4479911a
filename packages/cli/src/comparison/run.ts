// Opens the backends of a comparison, measures them one after the other, and compares every pair.
import type { Context, ModelOptions, ModuleOptions } from '../context.ts';
import { CommandError } from '../errors.ts';
import { openOn } from '../models.ts';
import type { OpenedModel } from '../models.ts';
import type { SourceText } from '../texts.ts';
import { checkText } from '../texts.ts';
import { comparePair, pictureAttention } from './compare.ts';
import type { Comparison, PairReport } from './compare.ts';
import { measure, processBytes } from './measure.ts';
import type { BackendReport } from './measure.ts';

export interface ComparisonOptions extends ModelOptions, Pick<ModuleOptions, 'threads'> {
  readonly backends: readonly string[];
  /** 1 is greedy. */
  readonly beams: number;
  /** Number of the text whose attention is shown, from 1 on; 0 for none. */
  readonly attention: number;
  /** For messages. */
  readonly command: string;
}

export async function runComparison(
  context: Context,
  texts: readonly SourceText[],
  options: ComparisonOptions,
): Promise<Comparison> {
  const { terminal, backends: known } = context;
  const { backends: names, command, beams, attention } = options;
  if (texts.length === 0) throw new CommandError(`${command}: there is no text; expected at least one`);
  if (attention > texts.length)
    throw new CommandError(
      `${command}: --attention is ${attention}; there ${texts.length === 1 ? 'is 1 text' : `are ${texts.length} texts`}`,
    );
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new CommandError(`${command}: --backends has ${twice} twice; expected different ones`);
  for (const name of names) known.find(name);

  using undo = new DisposableStack();
  const opened: OpenedModel[] = [];
  const reports: BackendReport[] = [];
  for (const name of names) {
    const bytesBefore = processBytes();
    const one = undo.use(await openOn(context, name, options));
    opened.push(one);
    const sources = texts.map((text) => {
      checkText(text, one.model, command);
      return one.model.tokenizer!.ids(text.text);
    });
    reports.push(await measure(one, name, sources, { beams, terminal, bytesBefore }));
  }
  const pairs: PairReport[] = [];
  for (const [j, b] of opened.entries())
    for (const [i, a] of opened.slice(0, j).entries())
      pairs.push(await comparePair(a, b, [reports[i]!, reports[j]!], terminal));
  const shown = reports[0]!.texts[attention - 1];
  return {
    model: opened[0]!.model.name,
    sources: texts.map(({ text }) => text),
    beams,
    backends: reports,
    pairs,
    attention: shown ? await pictureAttention(opened[0]!, names[0]!, shown, terminal.signal) : null,
    agrees: pairs.every((pair) => pair.agrees),
  };
}
