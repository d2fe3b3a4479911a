// BertProcessing and RobertaProcessing: the layouts [CLS] A [SEP] B [SEP] and <s> A </s> </s> B </s>.
import { changed, constantPart, type Part } from '../encoding.ts';
import { isCount, show, type Json } from '../json.ts';
import type { PostProcessor } from './post-processor.ts';
import { trim } from './trim.ts';

export function bert(json: Json): PostProcessor {
  const cls = readToken(json.at('cls'));
  const sep = readToken(json.at('sep'));
  return {
    added: (pair) => (pair ? 3 : 2),
    process: (parts, addSpecialTokens) => {
      const [a, b] = parts.map((part, i) => changed(part, i));
      if (!addSpecialTokens) return b ? [a!, b] : [a!];
      return [cls(0), a!, sep(0), ...(b ? [b, sep(1)] : [])];
    },
  };
}

export function roberta(json: Json): PostProcessor {
  const cls = readToken(json.at('cls'));
  const sep = readToken(json.at('sep'));
  const trims = json.at('trim_offsets').boolean(true);
  const addsSpace = json.at('add_prefix_space').boolean(true);
  return {
    added: (pair) => (pair ? 4 : 2),
    process: (parts, addSpecialTokens) => {
      const [a, b] = parts.map((part) => changed(part, 0, trims ? (details) => trim(details, addsSpace) : undefined));
      if (!addSpecialTokens) return b ? [a!, b] : [a!];
      return [cls(0), a!, sep(0), ...(b ? [sep(0), b, sep(0)] : [])];
    },
  };
}

/** A token and its id. */
function readToken(json: Json): (typeId: number) => Part {
  const [token, id] = json.array();
  if (typeof token !== 'string' || !isCount(id))
    json.fail(`is [${show(token)}, ${show(id)}]; it must be a token and its id`);
  return (typeId) => constantPart('special', typeId, [id as number], [token as string]);
}
