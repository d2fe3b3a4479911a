// A model on a device back to files: the weights are read from the device, one tensor at a time, and written as transformers reads
// them.
import { CheckpointError, ConversionError, encode, saveCheckpoint } from '@transept/checkpoint';
import type { PlainDType, SavedTensor, SaveOptions, Sink } from '@transept/checkpoint';
import { elements, expandStored, shapeInCheckpoint, storedBytes } from '@transept/tensor';
import type { Parameter, ParameterPart } from '@transept/tensor';
import { parametersOf } from './loading/parameters.ts';
import type { LoadedModel } from './load.ts';

export interface SaveModelOptions extends SaveOptions {
  /** Type of the weights in the files; values that do not fit are an error. Default: f32. */
  readonly dtype?: 'f32' | 'f16' | 'bf16';
}

const inFile = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const satisfies Record<string, PlainDType>;
const inConfig = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' } as const;

/** Write config.json and all weights. Weights stored as f16, q8 or q4 are written as what they stand for. */
export async function saveModel(loaded: LoadedModel, to: Sink, options: SaveModelOptions = {}): Promise<void> {
  const { dtype = 'f32', ...rest } = options;
  const tensors = new Map<string, SavedTensor>();
  for (const parameter of parametersOf(loaded.model)) {
    if ('values' in parameter.source) continue;
    let start = 0;
    for (const part of parameter.source.parts) {
      const from = start;
      start += elements(part.shape);
      const values = (): Promise<Float32Array<ArrayBuffer>> => readPart(loaded, parameter, part, from);
      // Only the device knows whether the checkpoint had it.
      if (part.optional && (await values()).every((x) => x === 0)) continue;
      tensors.set(part.name, {
        name: part.name,
        dtype: inFile[dtype],
        shape: shapeInCheckpoint(part),
        data: async () => narrowed(part.name, await values(), dtype),
      });
    }
  }
  const { torch_dtype: _, ...config } = loaded.config;
  await saveCheckpoint(to, { ...config, dtype: inConfig[dtype] }, [...tensors.values()], rest);
}

function narrowed(
  name: string,
  values: Float32Array<ArrayBuffer>,
  dtype: keyof typeof inFile,
): ArrayBufferView<ArrayBuffer> {
  try {
    return encode(values, dtype);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new CheckpointError(`saveModel: tensor "${name}" cannot be written as ${dtype}: ${error.message}`, {
      cause: error,
    });
  }
}

/** The values of one tensor of the checkpoint, as f32. */
async function readPart(
  { backend, stored, parameter: bufferOf }: LoadedModel,
  parameter: Parameter,
  { shape, transposed }: ParameterPart,
  start: number,
): Promise<Float32Array<ArrayBuffer>> {
  const storage = stored.get(parameter.name);
  const bytes = (count: number): number => (storage ? storedBytes(storage, count) : 4 * count);
  const [first, end] = [bytes(start), bytes(start + elements(shape))];
  // Device memory is read by fours.
  const from = first - (first % 4);
  const read = await backend.read(bufferOf(parameter), from, Math.ceil(end / 4) * 4 - from);
  const own = read.slice(first - from, end - from);
  const values = storage ? expandStored(storage, own) : new Float32Array(own.buffer);
  const plus = 'parts' in parameter.source ? (parameter.source.plus ?? 0) : 0;
  const plain = plus ? values.map((x) => x - plus) : values;
  return transposed ? exchanged(plain, shape[1]!) : plain;
}

/** The values of a matrix with so many columns, column after column. */
function exchanged(values: Float32Array<ArrayBuffer>, columns: number): Float32Array<ArrayBuffer> {
  const rows = values.length / columns;
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}
