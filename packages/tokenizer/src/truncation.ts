// Truncation and padding, as tokenizer.json and the options of a call ask for them.
import { Encoding, type Details, type PaddingToken, type Part } from './encoding.ts';
import { TokenizerError } from './errors.ts';
import type { Json } from './json.ts';

export interface Truncation {
  /** How many tokens may be left, special ones included. */
  maxLength: number;
  /** What is cut of a pair: from the longer one first, or only from one of the two. Default longest_first. */
  strategy?: 'longest_first' | 'only_first' | 'only_second';
  /** How many tokens neighbouring windows of the overflow share; default 0. */
  stride?: number;
  /** The end that goes; default right. */
  direction?: 'left' | 'right';
}

export interface Padding {
  /** A fixed length; without it the longest of the batch. */
  length?: number;
  /** Lengths are rounded up to a multiple of this. */
  multipleOf?: number;
  direction?: 'left' | 'right';
  id?: number;
  typeId?: number;
  token?: string;
}

/** Longer padding in a file is a mistake, or an attack on memory. */
const LONGEST_PADDING = 2 ** 20;

const STRATEGIES = { LongestFirst: 'longest_first', OnlyFirst: 'only_first', OnlySecond: 'only_second' } as const;

export function readTruncation(json: Json): Truncation | undefined {
  if (json.missing) return undefined;
  const strategy = json.at('strategy').oneOf(['LongestFirst', 'OnlyFirst', 'OnlySecond'], 'LongestFirst');
  return {
    maxLength: json.at('max_length').count(),
    strategy: STRATEGIES[strategy],
    stride: json.at('stride').count(0),
    direction: readDirection(json),
  };
}

export function readPadding(json: Json): Padding | undefined {
  if (json.missing) return undefined;
  const strategy = json.at('strategy');
  const multiple = json.at('pad_to_multiple_of');
  return {
    ...(typeof strategy.value === 'object' && { length: paddingLength(strategy.at('Fixed')) }),
    ...(!multiple.missing && { multipleOf: paddingLength(multiple) }),
    direction: readDirection(json),
    id: json.at('pad_id').count(),
    typeId: json.at('pad_type_id').count(0),
    token: json.at('pad_token').string(),
  };
}

function paddingLength(json: Json): number {
  const length = json.count();
  return length <= LONGEST_PADDING ? length : json.fail(`is ${length}; at most ${LONGEST_PADDING} is allowed`);
}

function readDirection(json: Json): 'left' | 'right' {
  return json.at('direction').oneOf(['Left', 'Right'], 'Right') === 'Left' ? 'left' : 'right';
}

/** Cuts the parts of a text and perhaps its pair so that `room` tokens remain. */
export function truncate(parts: readonly Part[], room: number, options: Truncation): readonly Part[] {
  const { strategy = 'longest_first', stride = 0, direction = 'right' } = options;
  const lengths = parts.map(({ ids }) => ids.length);
  const excess = lengths.reduce((sum, length) => sum + length, 0) - room;
  if (excess <= 0) return parts;
  const targets = room === 0 ? lengths.map(() => 0) : targetLengths(lengths, room, excess, strategy);
  return parts.map((part, i) => cut(part, targets[i]!, stride, direction));
}

function targetLengths(lengths: number[], room: number, excess: number, strategy: string): number[] {
  if (strategy === 'longest_first') {
    if (lengths.length < 2) return [room];
    const [short, long] = [Math.min(...lengths), Math.max(...lengths)];
    const half = Math.floor(room / 2);
    const targets = short + Math.max(short, room - short) > room ? [half, room - half] : [short, room - short];
    return lengths[0]! > lengths[1]! ? targets.toReversed() : targets.map((target) => Math.min(target, long));
  }
  const at = strategy === 'only_first' ? 0 : 1;
  const length = lengths[at];
  if (length === undefined) throw new TokenizerError('truncation: strategy is only_second, but there is no pair');
  if (length <= excess) {
    throw new TokenizerError(
      `truncation: ${strategy} would cut ${excess} of ${length} tokens; maxLength must leave room for the other text`,
    );
  }
  return lengths.with(at, length - excess);
}

/** The first window of a part, the others as its overflow. */
function cut(part: Part, size: number, stride: number, direction: 'left' | 'right'): Part {
  const { length } = part.ids;
  if (size >= length) return part;
  let details: Details | undefined;
  const window = (start: number, end: number): Part => ({
    ...part,
    ids: part.ids.slice(start, end),
    details: () => {
      details ??= part.details();
      const { tokens, offsets, words } = details;
      return { tokens: tokens.slice(start, end), offsets: offsets.slice(start, end), words: words.slice(start, end) };
    },
  });
  if (size === 0) return { ...window(0, 0), overflow: [part] };
  if (stride >= size) {
    throw new TokenizerError(
      `truncation: stride is ${stride}, but only ${size} tokens of the text are left; it must be less`,
    );
  }
  const windows: Part[] = [];
  for (let done = 0, at = 0; done < length; at += size - stride) {
    done = Math.min(at + size, length);
    windows.push(direction === 'right' ? window(at, done) : window(length - done, length - at));
  }
  return { ...windows[0]!, overflow: windows.slice(1) };
}

/** Pads encodings to the length that the options name, or to the longest of them. */
export function pad(encodings: readonly Encoding[], options: Padding): Encoding[] {
  const { multipleOf = 1, direction, id = 0, typeId = 0, token = '[PAD]' } = options;
  const longest = options.length ?? encodings.reduce((most, { length }) => Math.max(most, length), 0);
  const target = multipleOf > 0 ? Math.ceil(longest / multipleOf) * multipleOf : longest;
  const padding: PaddingToken = { id, typeId, token, left: direction === 'left' };
  return encodings.map((encoding) => encoding.padded(target, padding));
}
