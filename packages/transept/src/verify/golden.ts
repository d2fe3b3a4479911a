// The recording that a model is verified against: golden.json lists calls with their arguments, golden.safetensors holds the arrays
// that go in and those that have to come out. Every field is checked, for the recording is somebody else's.
import { CheckpointError, openCheckpoint, readJson } from '@transept/checkpoint';
import type { Checkpoint, Files } from '@transept/checkpoint';

/** One call of a recording. */
export interface GoldenCall {
  readonly name: string;
  /** `forward`, `generate`, `kv_cache`, `loss` or what else the recording knows. */
  readonly kind: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Names of arrays, by the names of the arguments. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Names of arrays, by the names of the outputs. */
  readonly outputs: Readonly<Record<string, string | readonly string[]>>;
  readonly note: string;
  /** Compare only positions whose mask is 1. */
  readonly maskedPositions: boolean;
}

export interface GoldenArray {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

export interface Golden {
  readonly calls: readonly GoldenCall[];
  /** What rows that had ended were filled with, where the recording says it. */
  readonly padTokenId: number | undefined;
  read(name: string): Promise<GoldenArray>;
}

/** Open a recording; the arrays lie beside `file` under its name with `.safetensors`. */
export async function openGolden(files: Files, file: string, signal?: AbortSignal): Promise<Golden> {
  const options = signal ? { signal } : {};
  const json = await readJson(files, file, options);
  const calls = json['calls'];
  if (!Array.isArray(calls))
    throw new CheckpointError(`golden: ${files.name}/${file} has no list "calls"; expected a recording of calls`);
  const special = isObject(json['special_tokens']) ? json['special_tokens'] : {};
  const { pad_token_id: pad } = special;
  const arrays = await openCheckpoint(files, { file: file.replace(/\.json$/, '.safetensors'), ...options });
  return {
    calls: calls.map((call, i) => callOf(call, `${files.name}/${file}: call ${i}`)),
    padTokenId: typeof pad === 'number' ? pad : undefined,
    read: (name) => readArray(arrays, name, options),
  };
}

async function readArray(arrays: Checkpoint, name: string, options: { signal?: AbortSignal }): Promise<GoldenArray> {
  const { shape, dtype } = arrays.find(name);
  const data = /^F|^BF/.test(dtype)
    ? await arrays.read(name, { as: 'f32', ...options })
    : await arrays.read(name, { as: 'i32', ...options });
  return { shape, data };
}

function callOf(value: unknown, where: string): GoldenCall {
  const fail = (key: string, right: string): never => {
    throw new CheckpointError(`golden: ${where}: "${key}" is wrong; expected ${right}`);
  };
  const call = isObject(value) ? value : fail('calls', 'objects');
  const { name, kind, args = {}, inputs = {}, outputs = {}, note = '' } = call;
  if (typeof name !== 'string' || typeof kind !== 'string') return fail('name', 'a name and a kind');
  if (!isObject(args)) return fail('args', 'an object');
  if (!isObject(inputs) || !Object.values(inputs).every((v) => typeof v === 'string'))
    return fail('inputs', 'names of arrays by names of arguments');
  if (!isObject(outputs)) return fail('outputs', 'names of arrays by names of outputs');
  return {
    name,
    kind,
    args,
    inputs: inputs as Record<string, string>,
    outputs: outputs as Record<string, string | string[]>,
    note: String(note),
    maskedPositions: call['compare_positions'] !== undefined,
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
