// What loading takes of the host's memory, with a model that exists only as a header: bytes are made when they are read, and the
// device forgets what is written to it. What the engine has not collected yet does not count, since it comes and goes with the
// machine's load.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { blobs } from '@transept/checkpoint';
import type { Files } from '@transept/checkpoint';
import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { expect, it } from 'vitest';
import { loadModel } from '../load.ts';

const MB = 1e6;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const config = {
  model_type: 'llama',
  hidden_size: 1024,
  intermediate_size: 4096,
  num_hidden_layers: 6,
  num_attention_heads: 16,
  vocab_size: 32000,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};

function shapes(): Record<string, number[]> {
  const { hidden_size: C, intermediate_size: F, vocab_size: V } = config;
  const all: Record<string, number[]> = {
    'model.embed_tokens.weight': [V, C],
    'lm_head.weight': [V, C],
    'model.norm.weight': [C],
  };
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const at = `model.layers.${i}`;
    for (const name of ['q', 'k', 'v', 'o']) all[`${at}.self_attn.${name}_proj.weight`] = [C, C];
    for (const name of ['gate', 'up']) all[`${at}.mlp.${name}_proj.weight`] = [F, C];
    all[`${at}.mlp.down_proj.weight`] = [C, F];
    for (const name of ['input', 'post_attention']) all[`${at}.${name}_layernorm.weight`] = [C];
  }
  return all;
}

/** A folder with the model, and the bytes that were asked for and are not yet written. */
function source(dtype: 'F16' | 'F32'): { files: Files; size: number; largest: number } {
  const header: Record<string, object> = {};
  let [end, largest] = [0, 0];
  for (const [name, shape] of Object.entries(shapes())) {
    const bytes = shape.reduce((n, d) => n * d, dtype === 'F16' ? 2 : 4);
    header[name] = { dtype, shape, data_offsets: [end, (end += bytes)] };
    largest = Math.max(largest, bytes);
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + json.length);
  new DataView(head.buffer).setBigUint64(0, BigInt(json.length), true);
  head.set(json, 8);
  const size = head.length + end;
  const inner = blobs({ 'config.json': new Blob([JSON.stringify(config)]), head: new Blob([head]) });
  const files: Files = {
    ...inner,
    has: async (path) => path === 'config.json' || path === 'model.safetensors',
    size: async (path) => (path === 'model.safetensors' ? size : inner.size(path)),
    async read(path, options = {}) {
      if (path !== 'model.safetensors') return inner.read(path, options);
      const { start = 0, end = size } = options;
      const bytes = new Uint8Array(end - start);
      if (start < head.length) bytes.set(head.subarray(start, end));
      return bytes;
    },
  };
  return { files, size, largest };
}

it.each([
  ['F16', 'f32'],
  ['F16', 'f16'],
  ['F16', 'q8'],
] as const)(
  'a model in %s goes to the device as %s and holds less than twice its largest tensor and 64 MB of the host',
  async (dtype, weights) => {
    const { files, size, largest } = source(dtype);
    expect(size).toBeGreaterThan(300 * MB);
    const device = reference();
    const bound = 2 * largest + 64 * MB;
    let [before, peak, written] = [0, 0, 0];
    const forgetful: Backend = {
      ...device,
      alloc: (bytes) => ({ bytes, [Symbol.dispose]() {} }),
      write(_, data) {
        written += data.byteLength;
        const taken = (): number => process.memoryUsage().arrayBuffers - before;
        if (taken() > bound) collect();
        peak = Math.max(peak, taken());
      },
    };
    before = process.memoryUsage().arrayBuffers;
    using loaded = await loadModel(files, forgetful, { weights });
    expect(written).toBeGreaterThanOrEqual(loaded.bytes * 0.99);
    expect(peak).toBeLessThan(bound);
  },
);
