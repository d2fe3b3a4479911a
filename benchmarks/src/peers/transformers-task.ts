// Tasks in transformers.js, wherever it runs: in this process or in a page.
import { configs } from '../cpu/models.ts';
import type { Task } from '../cpu/models.ts';
import { now } from '../measure.ts';
import { randomIds } from '../random.ts';
import type { Prepared } from '../runtime.ts';

type Tensors = Record<string, { readonly data: ArrayLike<number> }>;
interface Model {
  (inputs: object): Promise<Tensors>;
  generate(options: object): Promise<unknown>;
  dispose(): Promise<unknown>;
}
/** What is used of the library. */
export interface Transformers {
  readonly env: Record<string, unknown> & { backends: { onnx: { wasm: Record<string, unknown> } } };
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => unknown;
  readonly [auto: `AutoModel${string}`]: { from_pretrained(name: string, options: object): Promise<Model> };
}

const names = { translator: 'marian-tiny', smollm: 'smol-llama', minilm: 'minilm' } as const;
const classes = { translator: 'AutoModelForSeq2SeqLM', smollm: 'AutoModelForCausalLM', minilm: 'AutoModel' } as const;
const dtypes = { f32: 'fp32', f16: 'fp16', q8: 'q8', q4: 'q4' } as const;

/** The file without which a task cannot be done, below the folder of exports. */
export function fileOf({ model, weights }: Task): string {
  const suffix = { f32: '', f16: '_fp16', q8: '_quantized', q4: '_q4' }[weights];
  const file = { translator: 'decoder_model_merged', smollm: 'model', minilm: 'model' }[model];
  return `${names[model]}/onnx/${file}${suffix}.onnx`;
}

/** `wasm` computes on the thread that asks, `cpu` is native and computes elsewhere. */
export async function prepareTask(
  T: Transformers,
  task: Task,
  device: 'wasm' | 'cpu' = 'wasm',
  threads = 1,
): Promise<Prepared | undefined> {
  const { model: which, weights, rows, length, tokens, beams } = task;
  if (beams > 1) return undefined;
  if (device === 'wasm' && weights === 'q4' && rows * length > 512)
    throw new Error(`it takes minutes for q4 and ${rows * length} tokens at once`);
  const elsewhere = device === 'cpu';
  const session_options = elsewhere ? { intraOpNumThreads: threads, interOpNumThreads: 1 } : {};
  const options = { dtype: dtypes[weights], device, session_options, local_files_only: true };
  const model = await T[classes[which]]!.from_pretrained(names[which], options);
  const vocabulary = configs[which]['vocab_size'] as number;
  const ids = Array.from({ length: rows }, (_, r) => randomIds(r + 1, length, vocabulary)).flat();
  const tensor = (values: readonly number[]): unknown =>
    new T.Tensor('int64', BigInt64Array.from(values, BigInt), [rows, length]);
  const zeros = ids.map(() => 0);
  const inputs = { input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) };
  const dispose = async (): Promise<void> => void (await model.dispose());
  if (tokens === 0) {
    const all = { ...inputs, token_type_ids: tensor(zeros) };
    return { run: async () => (await model(all))['last_hidden_state']!.data, elsewhere, dispose };
  }
  let measured = 0;
  return {
    async run() {
      const times: number[] = [];
      // The streamer is given the prompt first.
      const streamer = { put: () => void times.push(now(elsewhere)), end() {} };
      const own = rows === 1 ? { streamer } : {};
      const began = now(elsewhere);
      await model.generate({ ...inputs, ...own, max_new_tokens: tokens, min_new_tokens: tokens, do_sample: false });
      measured = rows === 1 ? ((times.at(-1)! - times[1]!) / (tokens - 1)) * tokens : now(elsewhere) - began;
    },
    measured: () => measured,
    dispose,
  };
}
