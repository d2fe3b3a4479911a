// Do the keys and values of a model fit into f16? Its decoder runs over a few tokens before it is used, and what it would keep of
// them is looked at. Outliers come with the first token of a text, so there is one.
import { lower, trace, UnsupportedError } from '@transept/tensor';
import type { Tensor } from '@transept/tensor';
import type { LoadedModel } from '../load.ts';

const length = 16;
const largest = 65504;

/** Throws an UnsupportedError that says where a value is beyond f16. */
export async function probeKeyValues(loaded: LoadedModel, signal: AbortSignal | undefined): Promise<void> {
  const { model, backend, stored, config } = loaded;
  if (model.kind !== 'decoder' && model.kind !== 'encoder-decoder') return;
  const made = new Map<string, string>();
  const traced = trace('probe', (g) => {
    const ids = (name: string): Tensor => g.input(name, [1, length], 'i32');
    const caches = Array.from({ length: model.decoderLayers }, (_, i) => {
      made.set(`cache.${i}`, `layer ${i} of the decoder`);
      return g.state(`cache.${i}`, model.cacheShape(1, length));
    });
    if (model.kind === 'decoder') {
      model.decode(g, { ids: ids('ids'), caches, lastOnly: true });
      return {};
    }
    const features = model.sourceFeatures && g.input('features', [1, ...model.sourceFeatures]);
    const source = features ? { features } : { ids: ids('source'), mask: ids('mask') };
    const keyValues = model.crossKeyValues(g, model.encode(g, source));
    model.decode(
      g,
      { ids: ids('ids'), caches, lastOnly: true },
      { keyValues, ...('mask' in source && { mask: source.mask }) },
    );
    return Object.fromEntries(
      keyValues.map((kv, i) => {
        made.set(`cross.${i}`, `what layer ${i} of the decoder reads of the source`);
        return [`cross.${i}`, kv];
      }),
    );
  });
  const plan = lower(traced, backend, { stored });
  using owned = new DisposableStack();
  const buffers = Object.fromEntries(
    plan.buffers.flatMap((b) => {
      if (b.kind !== 'bound') return [];
      const parameter = traced.graph.parameters.get(b.name);
      return [[b.name, parameter ? loaded.parameter(parameter) : owned.use(backend.alloc(b.bytes))]];
    }),
  );
  const spread = (first: unknown, vocabSize: number): Int32Array =>
    Int32Array.from({ length }, (_, i) =>
      i === 0 && Number.isSafeInteger(first) ? (first as number) : Math.floor(((i + 0.5) * vocabSize) / length),
    );
  const contents = {
    ids: spread(config['decoder_start_token_id'] ?? config['bos_token_id'], model.vocabSize),
    source: spread(config['bos_token_id'], model.kind === 'decoder' ? 0 : model.sourceVocabSize),
    mask: new Int32Array(length).fill(1),
  };
  for (const [name, values] of Object.entries(contents)) if (buffers[name]) backend.write(buffers[name], values);
  const program = owned.use(await backend.load(plan, buffers, signal && { signal }));
  program.run();
  for (const [name, place] of made) {
    signal?.throwIfAborted();
    const values = new Float32Array((await backend.read(buffers[name]!)).buffer);
    const beyond = values.find((x) => !(Math.abs(x) <= largest));
    if (beyond !== undefined)
      throw new UnsupportedError(
        `load: keys and values as f16: ${place} makes ${beyond} of a few tokens, and f16 ends at ${largest}; leave keyValueCache out`,
      );
  }
}
