// The tensors of a GGUF file under the names that a Hugging Face checkpoint gives them.
import { CheckpointError, quoted } from '../errors.ts';
import { blockOf, type TensorInfo } from '../stored.ts';
import type { Architecture, Source } from './architectures/architecture.ts';

/** Tensors whose values belong into the configuration. */
export const constantNames = ['rope_freqs.weight', 'rope_factors_long.weight', 'rope_factors_short.weight'] as const;

/** Throws a CheckpointError for a tensor that the architecture has no name for: leaving it out would be another model. */
export function renamed(source: Source, architecture: Architecture): TensorInfo[] {
  const names = architecture.names(source);
  const tensors = [...source.tensors.values()].filter(({ name }) => !constantNames.some((c) => c === name));
  return tensors.flatMap((tensor) => {
    const [, layer, suffix] = /(?<=\.)(\d+)\..*\.(weight|bias)$/.exec(tensor.name) ?? [];
    const end = suffix ?? /\.(weight|bias)$/.exec(tensor.name)?.[1];
    const base = end ? tensor.name.slice(0, -end.length - 1) : tensor.name;
    const pattern = layer === undefined ? base : base.replace(`.${layer}.`, '.{}.');
    const target = Object.hasOwn(names, pattern) && end ? names[pattern] : undefined;
    if (target === undefined)
      throw new CheckpointError(
        `gguf: ${tensor.file}: tensor ${quoted(tensor.name)} (bytes ${tensor.start} to ${tensor.end}) is no part of a ` +
          `"${source.architecture}" model as it is known here; it cannot be left out`,
      );
    const name = `${target.replace('{}', layer ?? '')}.${end}`;
    const arranged = architecture.arranged?.(tensor.name, source);
    if (name.includes('{e}')) return experts(tensor, name);
    return [arranged ? checked({ ...tensor, name, arranged }) : { ...tensor, name }];
  });
}

/** One tensor each of the experts that the file holds as one. */
function experts(tensor: TensorInfo, name: string): TensorInfo[] {
  const [count, ...shape] = tensor.shape;
  if (count === undefined || shape.length < 2)
    throw new CheckpointError(
      `gguf: ${tensor.file}: tensor ${quoted(tensor.name)} has shape [${tensor.shape.join(', ')}]; expected experts, rows and columns`,
    );
  const bytes = (tensor.end - tensor.start) / count;
  return Array.from({ length: bytes > 0 ? count : 0 }, (_, e) => {
    const start = tensor.start + e * bytes;
    return { ...tensor, name: name.replace('{e}', String(e)), shape, start, end: start + bytes };
  });
}

/** A tensor whose rows can be put into the order of its name. */
function checked(tensor: TensorInfo): TensorInfo {
  const { arranged, shape, dtype } = tensor;
  const bad = (right: string): never => {
    throw new CheckpointError(
      `gguf: ${tensor.file}: tensor ${quoted(tensor.name)} has shape [${shape.join(', ')}]; expected ${right}`,
    );
  };
  if (arranged?.kind === 'paired-rows') {
    const rows = shape[0]! / arranged.heads;
    if (shape.length === 0 || !Number.isInteger(rows) || rows % 2 !== 0)
      bad(`an even number of rows for each of ${arranged.heads} heads`);
    // A vector of biases has rows of one element, which blocks cannot be cut at.
    if (shape.length === 1 && blockOf(dtype).elements > 1) bad('a matrix, for elements that are stored in blocks');
  }
  if (arranged?.kind === 'transposed') {
    if (shape.length !== 2) bad('a matrix');
    return { ...tensor, shape: shape.toReversed() };
  }
  return tensor;
}
