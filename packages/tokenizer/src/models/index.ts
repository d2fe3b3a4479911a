// Every model of tokenizer.json by its `type`.
import type { Json } from '../json.ts';
import type { Model } from './model.ts';
import { unigram } from './unigram.ts';

const models: Readonly<Record<string, (json: Json) => Model>> = {
  Unigram: unigram,
};

export function readModel(json: Json): Model {
  return json.build(models);
}
