// `transept tokenize`: lines of text to lines of ids, and back.
import { loadTokenizer, type Tokenizer } from '@transept/tokenizer';
import type { Command } from 'commander';
import { modelOptions } from '../context.ts';
import type { Context, ModelOptions } from '../context.ts';
import { CommandError } from '../errors.ts';
import { modelFiles } from '../models.ts';
import { print } from '../terminal.ts';
import { sourceTexts } from '../texts.ts';
import type { SourceText } from '../texts.ts';

interface TokenizeOptions extends ModelOptions {
  readonly input?: string;
  readonly decode?: true;
  readonly specialTokens: boolean;
  readonly keepSpecialTokens?: true;
  readonly json?: true;
}

export function addTokenize(program: Command, context: Context): void {
  const command = program
    .command('tokenize [text...]')
    .description('a JSON array of ids for each line of text; without a text, for the lines of standard input')
    .option('--input <file>', 'what to read, one text a line; - for standard input')
    .option('--decode', 'the other way: lines are JSON arrays of ids, and become text')
    .option('--no-special-tokens', 'do not add special tokens to the ids')
    .option('--keep-special-tokens', 'with --decode: show special tokens in the text')
    .option('--json', 'texts are JSON strings, so that they may contain line ends');
  modelOptions(command).action((texts: string[], options: TokenizeOptions) => run(context, texts, options));
}

async function run(context: Context, texts: string[], options: TokenizeOptions): Promise<void> {
  const { terminal } = context;
  const files = await modelFiles(context, options);
  const tokenizer = await loadTokenizer(files, { signal: terminal.signal });
  if (!tokenizer)
    throw new CommandError(`tokenize: ${files.name} has no tokenizer; expected tokenizer.json, or another file of one`);
  const convert = options.decode ? decoder(tokenizer, options) : encoder(tokenizer, options);
  const sources = { arguments: texts, input: options.input, command: 'tokenize' };
  for await (const line of sourceTexts(sources, terminal)) await print(terminal.stdout, `${convert(line)}\n`);
}

type Convert = (line: SourceText) => string;

function encoder(tokenizer: Tokenizer, { json, specialTokens }: TokenizeOptions): Convert {
  return (line) => {
    const text = json ? parsed(line, isText, 'a JSON string') : line.text;
    return JSON.stringify(tokenizer.ids(text, { addSpecialTokens: specialTokens }));
  };
}

function decoder(tokenizer: Tokenizer, { json, keepSpecialTokens }: TokenizeOptions): Convert {
  return (line) => {
    const ids = parsed(line, isIds, 'a JSON array of ids');
    const unknown = ids.find((id) => tokenizer.idToToken(id) === undefined);
    if (unknown !== undefined)
      throw new CommandError(
        `tokenize: ${line.place} has id ${unknown}; this tokenizer has ${tokenizer.vocabSize} tokens`,
      );
    const text = tokenizer.decode(ids, { skipSpecialTokens: !keepSpecialTokens });
    return json ? JSON.stringify(text) : text;
  };
}

function parsed<T>({ text, place }: SourceText, fits: (value: unknown) => value is T, right: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (fits(value)) return value;
  throw new CommandError(
    `tokenize: ${place} is ${text.length > 60 ? `${text.slice(0, 60)}…` : text || 'empty'}; expected ${right}`,
  );
}

const isIds = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((id) => Number.isSafeInteger(id));
const isText = (value: unknown): value is string => typeof value === 'string';
