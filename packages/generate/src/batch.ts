// Rows of token ids of unequal length as one rectangle, checked against what a model can take.

/** Ids or other inputs that a model cannot take. */
export class InputError extends RangeError {
  override readonly name = 'InputError';
}

export interface Batch {
  readonly rows: number;
  readonly length: number;
  readonly ids: Int32Array<ArrayBuffer>; // [rows, length]
  readonly mask: Int32Array<ArrayBuffer>; // [rows, length], 1 where there is a token
}

export interface BatchOptions {
  /** What to call the rows in messages, e.g. `input_ids`. */
  readonly name: string;
  readonly vocabSize: number;
  /** Longest row the model takes. */
  readonly maxLength: number;
  /** Columns of the rectangle. Default: the longest row. */
  readonly length?: number;
  /** Where padding goes. */
  readonly side: 'left' | 'right';
  /** 1 where a token counts, one list a row. Default: all count. */
  readonly mask?: readonly ArrayLike<number>[] | undefined;
  /** Refuse rows in which no token counts. Default: they are padding throughout. */
  readonly needsTokens?: boolean;
}

/** Length of the longest row. More rows than a call takes arguments are no mistake. */
export const longestOf = (rows: readonly ArrayLike<number>[]): number =>
  rows.reduce((longest, { length }) => Math.max(longest, length), 0);

/** Pad rows to one length. Throws an InputError that names the row and the id that is wrong. */
export function batch(rows: readonly ArrayLike<number>[], options: BatchOptions): Batch {
  const { name, vocabSize, maxLength, side } = options;
  const longest = longestOf(rows);
  if (rows.length === 0 || longest === 0)
    throw new InputError(`${name}: there is no token; give at least one row with one id`);
  if (longest > maxLength)
    throw new InputError(`${name}: a row has ${longest} tokens; this model takes at most ${maxLength}`);
  if (options.mask && options.mask.length !== rows.length)
    throw new InputError(
      `${name}: there are ${rows.length} rows and a mask of ${options.mask.length}; they must be equal`,
    );
  const length = options.length ?? longest;
  const ids = new Int32Array(rows.length * length);
  const mask = new Int32Array(rows.length * length);
  rows.forEach((row, r) => {
    const given = options.mask?.[r];
    if (options.mask && given?.length !== row.length)
      throw new InputError(
        `${name}: row ${r} has ${row.length} ids and a mask of ${given?.length ?? 0}; they must be equal`,
      );
    const at = r * length + (side === 'left' ? length - row.length : 0);
    for (let i = 0; i < row.length; i++) {
      const id = row[i]!;
      if (!Number.isInteger(id) || id < 0 || id >= vocabSize)
        throw new InputError(
          `${name}: row ${r} has id ${id} at position ${i}; ids of this model are 0 to ${vocabSize - 1}`,
        );
      ids[at + i] = id;
      mask[at + i] = given ? Number(given[i] !== 0) : 1;
    }
    if (options.needsTokens && !mask.subarray(r * length, (r + 1) * length).includes(1))
      throw new InputError(
        `${name}: row ${r} has no token${row.length > 0 ? ` that counts: its mask is 0 for all ${row.length} ids` : ''}; give at least one`,
      );
  });
  return { rows: rows.length, length, ids, mask };
}

/** Numbers of a shape, such as the features of sounds or the pixels of images. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** Inputs that are not text: features [rows, …]. */
export interface FeatureBatch {
  readonly rows: number;
  readonly features: Float32Array<ArrayBuffer>;
}

/** Check features against the shape that one row has to have. */
export function featureBatch(name: string, { shape, data }: NumberArray, rowShape: readonly number[]): FeatureBatch {
  const [rows = 0, ...rest] = shape;
  const count = shape.reduce((a, b) => a * b, 1);
  if (rows < 1 || rest.length !== rowShape.length || rest.some((d, i) => d !== rowShape[i]))
    throw new InputError(`${name}: shape is [${shape.join(', ')}]; this model takes [rows, ${rowShape.join(', ')}]`);
  if (data.length !== count)
    throw new InputError(`${name}: there are ${data.length} numbers; shape [${shape.join(', ')}] takes ${count}`);
  const features = Float32Array.from(data);
  const wrong = features.findIndex((x) => !Number.isFinite(x));
  if (wrong >= 0) throw new InputError(`${name}: number ${wrong} is ${data[wrong]}; all must be finite`);
  return { rows, features };
}

/** The size to make room for: the next of 8, 16, 32, 64, … */
export const bucket = (length: number): number => Math.max(8, 2 ** Math.ceil(Math.log2(length)));

/**
 * The length that rows are padded to. Padding costs arithmetic in every row, another length costs another program, on WebGPU with
 * shaders to compile: the fewer rows, the coarser. One row takes the next power of two up to 64 and multiples of 64 beyond, 16 rows
 * take multiples of 4; a step is an eighth of the next power of two at least, so that lengths stay few.
 */
export function paddedLength(length: number, { rows, most }: { rows: number; most: number }): number {
  const next = bucket(length);
  const step = Math.max(4, next / 8, 2 ** Math.floor(Math.log2(64 / rows)));
  return Math.min(most, next, Math.max(8, step * Math.ceil(length / step)));
}

/** How many tokens come before each place of a batch; 0 where there is padding: [rows, length]. */
export function countedPositions({
  rows,
  length,
  mask,
}: Pick<Batch, 'rows' | 'length' | 'mask'>): Int32Array<ArrayBuffer> {
  const positions = new Int32Array(rows * length);
  for (let r = 0; r < rows; r++)
    for (let i = r * length, count = 0; i < (r + 1) * length; i++) if (mask[i]) positions[i] = count++;
  return positions;
}
