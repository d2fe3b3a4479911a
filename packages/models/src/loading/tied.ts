// A decoder whose configuration ties its output to its embeddings. Where its checkpoint holds both, transformers 5 ties them only if they
// are equal (PreTrainedModel.tie_weights), and says so if they are not; where it holds the output alone, that is both. So it is here.
import type { Checkpoint, Files, TensorInfo } from '@transept/checkpoint';
import type { Json } from '../config.ts';
import type { Model } from '../family.ts';
import { createModel } from '../registry.ts';
import { nameIn } from './locate.ts';
import { parametersOf } from './parameters.ts';

/** What the weights of a model are compared by. */
interface Tensors {
  readonly files: Files;
  readonly checkpoint: Checkpoint;
  readonly signal?: AbortSignal;
}

export interface Tying {
  readonly model: Model;
  readonly config: Json;
  /** Tensors that are another copy of one that is read. */
  readonly copies: ReadonlySet<string>;
  readonly warnings: readonly string[];
}

/** The model as its checkpoint has it. */
export async function tyingOf(
  model: Model,
  config: Json,
  modelType: string | undefined,
  tensors: Tensors,
): Promise<Tying> {
  const { checkpoint } = tensors;
  const asSaid: Tying = { model, config, copies: new Set(), warnings: [] };
  if (model.kind !== 'decoder' || config['tie_word_embeddings'] === false) return asSaid;
  const read = partsOf(model);
  const inFile = (name: string): TensorInfo | undefined => checkpoint.tensors.get(nameIn(name, checkpoint, model));
  // Only what is left over can be an output that nobody reads.
  const known = new Set([...read.keys()].map((name) => nameIn(name, checkpoint, model)));
  if (![...checkpoint.tensors.values()].some(({ name, shape }) => shape.length === 2 && !known.has(name)))
    return asSaid;

  const untied = { ...config, tie_word_embeddings: false };
  const other = untiedForm(untied, modelType);
  const [output, ...more] = other ? [...partsOf(other)].filter(([name]) => !read.has(name)) : [];
  const stored = output && inFile(output[0]);
  if (!other || !stored || more.length > 0) return asSaid;
  const alike = [...read].filter(([, shape]) => String(shape) === String(output[1])).map(([name]) => name);
  const [missing] = alike.filter((name) => !inFile(name));
  if (missing !== undefined) return { ...asSaid, model: called(model, missing, stored.name) };
  for (const name of alike)
    if (await equal(inFile(name)!, stored, tensors)) return { ...asSaid, copies: new Set([stored.name]) };
  const warning =
    `config.json ties the output to the embeddings, but the checkpoint holds another "${stored.name}"; that is used, as transformers does. ` +
    '"tie_word_embeddings": false would say so';
  return { model: other, config: untied, copies: new Set(), warnings: [warning] };
}

/** Undefined where a family has none. */
function untiedForm(config: Json, modelType: string | undefined): Model | undefined {
  try {
    return createModel(config, modelType);
  } catch {
    return undefined;
  }
}

/** The model, with another name for one of its weights: of two that are one, writers of files keep either. */
const called = (model: Model, name: string, stored: string): Model => ({
  ...model,
  alternatives: (asked) => [...(model.alternatives?.(asked) ?? []), ...(asked === name ? [stored] : [])],
});

/** Names and shapes of what a model reads. */
const partsOf = (model: Model): Map<string, readonly number[]> =>
  new Map(
    parametersOf(model).flatMap(({ source }) => ('parts' in source ? source.parts : []).map((p) => [p.name, p.shape])),
  );

/** So much of each of two tensors is compared at once. */
const COMPARED_BYTES = 4 << 20;

/** Have two tensors the same bytes? */
async function equal(a: TensorInfo, b: TensorInfo, { files, signal }: Tensors): Promise<boolean> {
  const length = a.end - a.start;
  if (a.dtype !== b.dtype || length !== b.end - b.start || a.arranged || b.arranged) return false;
  const places = [a, b].map(() => new Uint8Array(Math.min(length, COMPARED_BYTES)));
  for (let at = 0; at < length; at += COMPARED_BYTES) {
    const count = Math.min(COMPARED_BYTES, length - at);
    const [first, second] = await Promise.all(
      [a, b].map(({ file, start }, i) =>
        files.read(file, { start: start + at, end: start + at + count, into: places[i]!, ...(signal && { signal }) }),
      ),
    );
    for (let i = 0; i < count; i++) if (first![i] !== second![i]) return false;
  }
  return true;
}
