// Every model of tokenizer.json by its `type`. Files of before 2020 leave the type out and are known by their fields.
import type { Json, Parts } from '../json.ts';
import { bpe } from './bpe.ts';
import type { Model } from './model.ts';
import { unigram } from './unigram.ts';
import { wordLevel } from './word-level.ts';
import { wordPiece } from './word-piece.ts';

const models: Parts<Model> = { BPE: bpe, Unigram: unigram, WordLevel: wordLevel, WordPiece: wordPiece };

export async function readModel(json: Json): Promise<Model> {
  return json.build(models, guess(json));
}

function guess(json: Json): string {
  if (!json.at('merges').missing) return 'BPE';
  if (!json.at('unk_id').missing || Array.isArray(json.at('vocab').value)) return 'Unigram';
  return json.at('continuing_subword_prefix').missing ? 'WordLevel' : 'WordPiece';
}
