// vocab.txt, one token a line: BERT and its kin. What BertTokenizer and MPNetTokenizer do is written down as tokenizer.json.
import { TokenizerError } from '../errors.ts';
import { Tokenizer } from '../tokenizer.ts';
import { writeAddedTokens, type TokenizerConfig } from './config.ts';
import { around, bertTemplate, robertaTemplate, type Place } from './template.ts';

interface Kind {
  readonly classes: readonly string[];
  readonly specials: Readonly<Record<'cls' | 'sep' | 'unk' | 'pad' | 'mask', string>>;
  template(cls: string, sep: string, idOf: (token: string) => number): object;
  readonly maskTakesSpace?: boolean;
}

const BERT: Kind = {
  classes: ['Bert', 'DistilBert', 'Electra', 'MobileBert', 'SqueezeBert', 'ConvBert', 'LayoutLM', 'Lxmert', 'DPRQuestionEncoder', 'DPRContextEncoder', 'DPRReader'],
  specials: { cls: '[CLS]', sep: '[SEP]', unk: '[UNK]', pad: '[PAD]', mask: '[MASK]' },
  template: bertTemplate,
}; // prettier-ignore

const kinds: readonly Kind[] = [
  BERT,
  {
    classes: ['MPNet'],
    specials: { cls: '<s>', sep: '</s>', unk: '[UNK]', pad: '<pad>', mask: '<mask>' },
    template: robertaTemplate,
    maskTakesSpace: true,
  },
  {
    classes: ['Funnel'],
    specials: { cls: '<cls>', sep: '<sep>', unk: '<unk>', pad: '<pad>', mask: '<mask>' },
    template: (cls, sep, idOf) => {
      const single: Place[] = [[cls, 2], '$A', sep];
      return around(single, [...single, ['$B', 1], [sep, 1]], idOf);
    },
  },
];

export function wordPieceFiles(text: string, config: TokenizerConfig): Promise<Tokenizer> {
  const { specials, template, maskTakesSpace } = config.kind(kinds, 'vocab.txt') ?? BERT;
  const vocab = new Map<string, number>();
  for (const [id, line] of text
    .replace(/(\r\n|\n|\r)$/, '')
    .split(/\r\n|\n|\r/)
    .entries())
    vocab.set(line, id);
  const [cls, sep, unk, pad, mask] = (['cls', 'sep', 'unk', 'pad', 'mask'] as const).map((name) =>
    config.special(name, specials[name]),
  ) as [string, string, string, string, string];
  const idOf = (token: string): number => {
    const id = vocab.get(token);
    if (id === undefined) throw new TokenizerError(`vocab.txt: the special token ${token} is missing`);
    return id;
  };
  const { json, chat } = config;
  const strips = json.at('strip_accents');
  const added = config.addedTokens((token) => vocab.get(token), [pad, unk, cls, sep, mask], maskTakesSpace ? mask : '');
  const parts = {
    added_tokens: writeAddedTokens(added),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: json.at('tokenize_chinese_chars').boolean(true),
      strip_accents: strips.missing ? null : strips.boolean(),
      lowercase: json.at('do_lower_case').boolean(true),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      vocab: Object.fromEntries(vocab),
      unk_token: unk,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    },
    post_processor: template(cls, sep, idOf),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  };
  return Tokenizer.fromJSON(parts, { name: 'vocab.txt', chat });
}
