// The open list of model families, by the `model_type` of config.json.
import { ConfigError, ConfigReader } from './config.ts';
import type { Json } from './config.ts';
import type { Family, Model } from './family.ts';
import { llama } from './llama/model.ts';
import { marian } from './marian/model.ts';
import { opennmt } from './opennmt/model.ts';

const families = new Map<string, Family>([marian, llama, opennmt].map((f) => [f.modelType, f]));

/** Add a family, or replace the one of the same `modelType`. */
export const registerModel = (family: Family): void => void families.set(family.modelType, family);

/** The `model_type`s that can be loaded. */
export const modelTypes = (): string[] => [...families.keys()].sort();

/** The model that a config.json describes. `modelType` stands in for a missing `model_type`. */
export function createModel(json: Json, modelType?: string): Model {
  const config = new ConfigReader(json);
  const type = config.text('model_type', modelType);
  const family = families.get(type);
  if (!family)
    throw new ConfigError(
      `config.json: "model_type" is "${type}", which is not registered; there is ${modelTypes().join(', ')}, and registerModel adds more`,
    );
  return family.create(config);
}
