// transformers.js with onnxruntime's WebGPU build, in the page. It reads ONNX exports that the benchmark serves.
import { configs } from '../../cpu/models.ts';
import { randomIds } from '../../random.ts';
import type { Transformers } from '../../peers/transformers-task.ts';
import { TokenTimes } from './runtime.ts';
import type { PageRuntime } from './runtime.ts';

type Tensors = Record<string, { readonly data?: ArrayLike<number>; getData?(): Promise<ArrayLike<number>> }>;
interface Model {
  (inputs: object): Promise<Tensors>;
  generate(options: object): Promise<unknown>;
  dispose(): Promise<unknown>;
}

const names = { translator: 'marian-tiny', smollm: 'smol-llama', minilm: 'minilm' } as const;
const classes = { translator: 'AutoModelForSeq2SeqLM', smollm: 'AutoModelForCausalLM', minilm: 'AutoModel' } as const;
const dtypes = { f32: 'fp32', f16: 'fp16', q8: 'q8', q4: 'q4' } as const;

export async function transformers(): Promise<PageRuntime> {
  const name = '@huggingface/transformers';
  const T = (await import(name)) as Transformers;
  Object.assign(T.env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: '/onnx/' });
  Object.assign(T.env, { useBrowserCache: false, useWasmCache: false });
  const folder = import.meta.resolve('onnxruntime-web/webgpu').replace(/[^/]*$/, '');
  const files = {
    mjs: `${folder}ort-wasm-simd-threaded.asyncify.mjs`,
    wasm: `${folder}ort-wasm-simd-threaded.asyncify.wasm`,
  };
  Object.assign(T.env.backends.onnx.wasm, { numThreads: 1, proxy: false, wasmPaths: files });
  return {
    name: 'transformers.js',
    async prepare({ model: which, weights, rows, length, tokens, beams }) {
      if (beams > 1) return undefined;
      const options = { dtype: dtypes[weights], device: 'webgpu', local_files_only: true };
      const model = (await T[classes[which]]!.from_pretrained(names[which], options)) as unknown as Model;
      const vocabulary = configs[which]['vocab_size'] as number;
      const ids = Array.from({ length: rows }, (_, r) => randomIds(r + 1, length, vocabulary)).flat();
      const tensor = (values: readonly number[]): unknown =>
        new T.Tensor('int64', BigInt64Array.from(values, BigInt), [rows, length]);
      const inputs = { input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) };
      return {
        async run(wanted) {
          const times = new TokenTimes();
          if (tokens === 0) {
            const { last_hidden_state: state } = await model({ ...inputs, token_type_ids: tensor(ids.map(() => 0)) });
            await (state!.data ?? state!.getData!());
            times.token();
            return times.times;
          }
          // The streamer is given the prompt first. It takes a single row only.
          let prompt = true;
          const streamer = {
            put: () => void (prompt ? (prompt = false) : times.token()),
            end() {},
          };
          const lengths = { max_new_tokens: wanted, min_new_tokens: wanted, do_sample: false };
          await model.generate({ ...inputs, ...lengths, ...(rows === 1 && { streamer }) });
          if (rows > 1) times.token();
          return times.times;
        },
        [Symbol.dispose]: () => void model.dispose(),
      };
    },
  };
}
