// Templates: what stands around a text and a pair of texts, with type ids. TemplateProcessing spells it out; BertProcessing and
// RobertaProcessing have the fixed layouts [CLS] A [SEP] B [SEP] and <s> A </s> </s> B </s>.
import { constantPart, withDetails, type Part } from '../encoding.ts';
import { isCount, show, type Json } from '../json.ts';
import type { PostProcessor } from './post-processor.ts';
import { trim } from './trim.ts';

type Piece =
  { sequence: 0 | 1; typeId: number } | { ids: readonly number[]; tokens: readonly string[]; typeId: number };

function template(single: readonly Piece[], pair: readonly Piece[]): PostProcessor {
  const count = (pieces: readonly Piece[]): number =>
    pieces.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0);
  return {
    added: (isPair) => count(isPair ? pair : single),
    process: (parts, addSpecialTokens) =>
      (parts.length > 1 ? pair : single).flatMap((piece): Part[] => {
        if (!('ids' in piece)) return [{ ...parts[piece.sequence]!, typeId: piece.typeId }]; // as in `tokenizers`, the overflow keeps its own
        return addSpecialTokens ? [constantPart('special', piece.typeId, piece.ids, piece.tokens)] : [];
      }),
  };
}

export function templateProcessing(json: Json): PostProcessor {
  return template(readPieces(json, 'single'), readPieces(json, 'pair'));
}

function readPieces(json: Json, name: 'single' | 'pair'): Piece[] {
  return json
    .at(name)
    .list()
    .map((piece) => {
      const sequence = piece.at('Sequence');
      if (!sequence.missing) {
        const id = sequence.at('id').oneOf(['A', 'B']);
        if (id === 'B' && name === 'single') sequence.fail('is B; a template for one text has only A');
        return { sequence: id === 'A' ? 0 : 1, typeId: sequence.at('type_id').count() };
      }
      const token = piece.at('SpecialToken');
      const special = json.at('special_tokens').at(token.at('id').string());
      const ids = special.at('ids').array();
      if (!ids.every(isCount)) special.fail('must be whole numbers', '.ids');
      const tokens = special
        .at('tokens')
        .list()
        .map((text) => text.string());
      return { ids: ids as number[], tokens, typeId: token.at('type_id').count() };
    });
}

export function bert(json: Json): PostProcessor {
  const [cls, sep] = [readEnd(json.at('cls')), readEnd(json.at('sep'))];
  const single = [cls(0), text(0), sep(0)];
  return template(single, [...single, text(1), sep(1)]);
}

/** All type ids are 0, except that without special tokens the overflow keeps its own, as in `tokenizers`. */
export function roberta(json: Json): PostProcessor {
  const [cls, sep] = [readEnd(json.at('cls')), readEnd(json.at('sep'))];
  const single = [cls(0), text(0), sep(0)];
  const { added, process } = template(single, [...single, sep(0), { sequence: 1, typeId: 0 }, sep(0)]);
  const trimmed = trimming(json, true);
  const untyped = (part: Part): Part => ({ ...part, typeId: 0 });
  return {
    added,
    process: (parts, adds) =>
      process(
        trimmed(parts).map((part) =>
          adds && part.overflow ? { ...part, overflow: part.overflow.map(untyped) } : part,
        ),
        adds,
      ),
  };
}

/** ByteLevel. */
export function byteLevel(json: Json): PostProcessor {
  return { added: () => 0, process: trimming(json) };
}

/** Where the file asks for it, or says nothing and `fallback` does, the offsets of byte-level tokens lose their spaces. */
function trimming(json: Json, fallback?: boolean): (parts: readonly Part[]) => readonly Part[] {
  const trims = json.at('trim_offsets').boolean(fallback);
  const addsSpace = json.at('add_prefix_space').boolean(fallback);
  return (parts) => (trims ? parts.map((part) => withDetails(part, (details) => trim(details, addsSpace))) : parts);
}

const text = (sequence: 0 | 1): Piece => ({ sequence, typeId: sequence });

/** A token and its id. */
function readEnd(json: Json): (typeId: number) => Piece {
  const [token, id] = json.array();
  if (typeof token !== 'string' || !isCount(id)) {
    return json.fail(`is [${show(token)}, ${show(id)}]; it must be a token and its id`);
  }
  return (typeId) => ({ ids: [id], tokens: [token], typeId });
}
