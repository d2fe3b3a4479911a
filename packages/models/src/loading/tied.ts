// A model whose configuration ties its output to its embeddings. Where its checkpoint holds both, transformers 5 ties them only if they
// are equal (PreTrainedModel.tie_weights), and says so if they are not; where it holds the output alone, that is both. So it is here.
import { sha256 } from '@transept/checkpoint';
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
  if (config['tie_word_embeddings'] === false) return asSaid;
  const inFile = (name: string, of: Model): TensorInfo | undefined =>
    checkpoint.tensors.get(nameIn(name, checkpoint, of));
  const read = partsOf(model);
  // Only what is left over can be an output that nobody reads.
  const known = new Set([...read.keys()].map((name) => nameIn(name, checkpoint, model)));
  if (![...checkpoint.tensors.values()].some(({ name, shape }) => shape.length === 2 && !known.has(name)))
    return asSaid;

  const changes = untying(model, config);
  const untied = { ...config, ...changes };
  const other = untiedForm(untied, modelType);
  const more = other ? [...partsOf(other)].filter(([name]) => !read.has(name)) : [];
  if (!other || more.some(([name]) => !inFile(name, other))) return asSaid;
  const copies = new Set<string>();
  const others: string[] = [];
  for (const [name, shape] of more) {
    const stored = inFile(name, other)!;
    if (known.has(stored.name)) continue;
    const alike = [...read].filter(([, its]) => String(its) === String(shape)).map(([its]) => its);
    // A bias that is not there is none.
    const missing = shape.length === 2 ? alike.find((its) => !inFile(its, model)) : undefined;
    if (missing !== undefined) return { ...asSaid, model: called(model, missing, stored.name) };
    let same = false;
    for (const its of alike) {
      const one = inFile(its, model);
      same ||= one !== undefined && (await equal(one, stored, tensors));
    }
    if (same) copies.add(stored.name);
    else others.push(stored.name);
  }
  if (others.length === 0) return { ...asSaid, copies };
  const warning =
    `config.json ties the output to the embeddings, but the checkpoint holds another ${others.map((name) => `"${name}"`).join(', ')}; ` +
    `that is used, as transformers does. ${JSON.stringify(changes).slice(1, -1).replaceAll(':', ': ').replaceAll(',', ', ')} would say so`;
  return { model: other, config: untied, copies, warnings: [warning] };
}

/** What config.json would say of an output of its own. T5 scales what goes into the output by another option, which follows this one. */
const untying = ({ modelType }: Model, config: Json): Json => ({
  tie_word_embeddings: false,
  ...(modelType === 't5' && { scale_decoder_outputs: config['scale_decoder_outputs'] ?? true }),
});

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

/** So much of a tensor is read at once. */
const READ_BYTES = 4 << 20;

/**
 * Have two tensors the same bytes? Each is read from end to end, the first of the file first: of a server that ignores ranges that is
 * one transfer. Of the first only the hashes of its pieces are kept.
 */
async function equal(a: TensorInfo, b: TensorInfo, tensors: Tensors): Promise<boolean> {
  if (a.dtype !== b.dtype || a.end - a.start !== b.end - b.start || a.arranged || b.arranged) return false;
  const [first, second] = a.file === b.file && a.start > b.start ? [b, a] : [a, b];
  const hashes: string[] = [];
  for await (const hash of hashesOf(first, tensors)) hashes.push(hash);
  let i = 0;
  for await (const hash of hashesOf(second, tensors)) if (hash !== hashes[i++]) return false;
  return true;
}

async function* hashesOf({ file, start, end }: TensorInfo, { files, signal }: Tensors): AsyncGenerator<string> {
  const into = new Uint8Array(Math.min(end - start, READ_BYTES));
  for (let at = start; at < end; at += READ_BYTES) {
    const hash = sha256();
    hash.update(
      await files.read(file, { start: at, end: Math.min(at + READ_BYTES, end), into, ...(signal && { signal }) }),
    );
    yield hash.digest();
  }
}
