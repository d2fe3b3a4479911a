// vocab.txt, one token a line: BERT and its kin. What BertTokenizer and MPNetTokenizer do is written down as tokenizer.json.
import { TokenizerError } from '../errors.ts';
import { Tokenizer } from '../tokenizer.ts';
import { writeAddedTokens, type TokenizerConfig } from './config.ts';

const BERT = [
  '',
  'Bert',
  'DistilBert',
  'Electra',
  'MobileBert',
  'SqueezeBert',
  'ConvBert',
  'Funnel',
  'Layoutlm',
  'Lxmert',
];

export function wordPieceFiles(text: string, config: TokenizerConfig): Promise<Tokenizer> {
  const name = config.className.replace(/Tokenizer$/, '');
  const mpnet = name === 'MPNet';
  if (!mpnet && !BERT.includes(name)) {
    throw new TokenizerError(
      `vocab.txt: tokenizer_class is ${config.className}; with this file BertTokenizer and MPNetTokenizer are supported`,
    );
  }
  const vocab = new Map<string, number>();
  for (const [id, line] of text
    .replace(/(\r\n|\n|\r)$/, '')
    .split(/\r\n|\n|\r/)
    .entries())
    vocab.set(line, id);
  const [cls, sep, unk, pad, mask] = [
    config.special('cls', mpnet ? '<s>' : '[CLS]'),
    config.special('sep', mpnet ? '</s>' : '[SEP]'),
    config.special('unk', '[UNK]'),
    config.special('pad', mpnet ? '<pad>' : '[PAD]'),
    config.special('mask', mpnet ? '<mask>' : '[MASK]'),
  ];
  const { json, chat } = config;
  const strips = json.at('strip_accents');
  const added = config.addedTokens((token) => vocab.get(token), [pad, unk, cls, sep, mask], mpnet ? mask : '');
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
    post_processor: around(cls, sep, mpnet, (token) => {
      const id = vocab.get(token);
      if (id === undefined) throw new TokenizerError(`vocab.txt: the special token ${token} is missing`);
      return id;
    }),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  };
  return Tokenizer.fromJSON(parts, { name: 'vocab.txt', chat });
}

/** [CLS] A [SEP] B [SEP], or for MPNet <s> A </s> </s> B </s>. */
function around(cls: string, sep: string, doubled: boolean, idOf: (token: string) => number): object {
  const token = (id: string, type_id: number): object => ({ SpecialToken: { id, type_id } });
  const text = (id: string, type_id: number): object => ({ Sequence: { id, type_id } });
  const single = [token(cls, 0), text('A', 0), token(sep, 0)];
  const second = doubled ? 0 : 1;
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, ...(doubled ? [token(sep, 0)] : []), text('B', second), token(sep, second)],
    special_tokens: Object.fromEntries([cls, sep].map((id) => [id, { id, ids: [idOf(id)], tokens: [id] }])),
  };
}
