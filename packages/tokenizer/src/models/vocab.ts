// Vocabularies as files write them: an object from token to id, checked before anything is sized by it.
import { isCount, show, type Json } from '../json.ts';

export function readVocab(json: Json): Map<string, number> {
  const vocab = new Map<string, number>();
  const seen = new Set<number>();
  for (const [token, id] of Object.entries(json.object())) {
    if (!isCount(id)) json.fail(`is ${show(id)}; an id is a whole number from 0 to 2147483647`, `[${show(token)}]`);
    if (seen.has(id)) json.fail(`has the id ${id}, which another token has already`, `[${show(token)}]`);
    seen.add(id);
    vocab.set(token, id);
  }
  return vocab;
}
