// BertProcessing and RobertaProcessing: the layouts [CLS] A [SEP] B [SEP] and <s> A </s> </s> B </s>.
import { constantPart, withDetails, type Part } from '../encoding.ts';
import { isCount, show, type Json } from '../json.ts';
import type { PostProcessor } from './post-processor.ts';
import { trim } from './trim.ts';

export function bert(json: Json): PostProcessor {
  const { cls, sep } = readTokens(json);
  return {
    added: (pair) => (pair ? 3 : 2),
    process: (parts, addSpecialTokens) => {
      if (!addSpecialTokens) return parts;
      const [a, b] = parts;
      return [cls(0), a!, sep(0), ...(b ? [b, sep(1)] : [])];
    },
  };
}

/** All type ids are 0, except that without special tokens the overflow keeps its own, as in `tokenizers`. */
export function roberta(json: Json): PostProcessor {
  const { cls, sep } = readTokens(json);
  const trims = json.at('trim_offsets').boolean(true);
  const addsSpace = json.at('add_prefix_space').boolean(true);
  const untyped = (part: Part): Part => ({ ...part, typeId: 0 });
  return {
    added: (pair) => (pair ? 4 : 2),
    process: (parts, addSpecialTokens) => {
      const trimmed = trims ? parts.map((part) => withDetails(part, (details) => trim(details, addsSpace))) : parts;
      if (!addSpecialTokens) return trimmed.map(untyped);
      const [a, b] = trimmed.map((part) => ({ ...untyped(part), overflow: part.overflow?.map(untyped) ?? [] }));
      return [cls(0), a!, sep(0), ...(b ? [sep(0), b, sep(0)] : [])];
    },
  };
}

type Special = (typeId: number) => Part;

function readTokens(json: Json): { cls: Special; sep: Special } {
  return { cls: readToken(json.at('cls')), sep: readToken(json.at('sep')) };
}

/** A token and its id. */
function readToken(json: Json): Special {
  const [token, id] = json.array();
  if (typeof token !== 'string' || !isCount(id)) {
    json.fail(`is [${show(token)}, ${show(id)}]; it must be a token and its id`);
  }
  return (typeId) => constantPart('special', typeId, [id as number], [token as string]);
}
