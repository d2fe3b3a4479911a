// TemplateProcessing: one template for a text and one for a pair, of sequences and special tokens with their type ids.
import { constantPart, type Part } from '../encoding.ts';
import { isCount, type Json } from '../json.ts';
import type { PostProcessor } from './post-processor.ts';

type Piece = { sequence: 0 | 1; typeId: number } | { ids: number[]; tokens: string[]; typeId: number };

export function template(json: Json): PostProcessor {
  const single = readPieces(json, 'single');
  const pair = readPieces(json, 'pair');
  const count = (pieces: Piece[]): number =>
    pieces.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0);
  return {
    added: (isPair) => count(isPair ? pair : single),
    process: (parts, addSpecialTokens) =>
      (parts.length > 1 ? pair : single).flatMap((piece): Part[] => {
        if ('ids' in piece)
          return addSpecialTokens ? [constantPart('special', piece.typeId, piece.ids, piece.tokens)] : [];
        const part = parts[piece.sequence]!;
        return [{ ...part, typeId: piece.typeId }]; // as in `tokenizers`, the overflow keeps its own
      }),
  };
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
      const name_ = token.at('id').string();
      const special = json.at('special_tokens').at(name_);
      const ids = special.at('ids').array();
      if (!ids.every(isCount)) special.fail('must be whole numbers', '.ids');
      const tokens = special
        .at('tokens')
        .list()
        .map((text) => text.string());
      return { ids: ids as number[], tokens, typeId: token.at('type_id').count() };
    });
}
