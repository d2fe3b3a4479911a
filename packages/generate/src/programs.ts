// The plans that a model runs by, for people who want to look at them: what `generate` would load, without a device's memory.
import type { CacheType, GenerativeModel, Model } from '@transept/models';
import { cast, lower, reshape, trace } from '@transept/tensor';
import type { Backend, LowerOptions, Plan } from '@transept/tensor';

export interface ProgramSizes {
  /** Sequences decoded together. Default: 1. */
  readonly rows?: number;
  /** Positions of the source or prompt. Default: 16. */
  readonly length?: number;
  /** Positions that the caches have room for. Default: 64. */
  readonly capacity?: number;
  /** How keys and values of earlier tokens are kept. Default: f32. */
  readonly keyValueCache?: CacheType;
  /** How parameters are stored that are not f32, by name. */
  readonly stored?: LowerOptions['stored'];
}

/** The plans of a model: its encoder or the pass over a prompt, and the step that adds one token if it generates. */
export function programsOf(model: Model, backend: Backend, sizes: ProgramSizes = {}): Plan[] {
  const { rows = 1, length = 16, stored } = sizes;
  if (model.kind === 'decoder' || model.kind === 'encoder-decoder') return generativePrograms(model, backend, sizes);
  const traced = trace(`${model.modelType} encoder`, (g) => {
    if (model.kind === 'vision')
      return model.outputs(g, model.encode(g, g.input('pixels', [rows, ...model.imageShape])));
    const inputs = { ids: g.input('ids', [rows, length], 'i32'), mask: g.input('mask', [rows, length], 'i32') };
    return model.outputs(g, model.encode(g, inputs), inputs);
  });
  return [lower(traced, backend, stored && { stored })];
}

function generativePrograms(
  model: GenerativeModel,
  backend: Backend,
  { rows = 1, length = 16, capacity = 64, keyValueCache = 'f32', stored }: ProgramSizes,
): Plan[] {
  const decoder = (name: string, count: number): Plan =>
    lower(
      trace(`${model.modelType} ${name}`, (g) => {
        const ids = g.input('ids', [rows, count], 'i32');
        const caches = Array.from({ length: model.decoderLayers }, (_, i) =>
          g.state(`cache.${i}`, model.cacheShape(rows, capacity), keyValueCache),
        );
        const step = { ids, caches, start: g.scalar('start'), lastOnly: true };
        if (model.kind === 'decoder') return { logits: reshape(model.decode(g, step), [rows, model.vocabSize]) };
        const mask = model.sourceFeatures ? undefined : g.input('mask', [rows, length], 'i32');
        const keyValues = crossShapes(model, rows, length).map((shape, i) =>
          g.input(`cross.${i}`, shape, keyValueCache),
        );
        return {
          logits: reshape(model.decode(g, step, { keyValues, ...(mask && { mask }) }), [rows, model.vocabSize]),
        };
      }),
      backend,
      stored && { stored },
    );
  if (model.kind === 'decoder') return [decoder('prompt', length), decoder('step', 1)];
  const encoder = trace(`${model.modelType} encoder`, (g) => {
    const inputs = model.sourceFeatures
      ? { features: g.input('features', [rows, ...model.sourceFeatures]) }
      : { ids: g.input('ids', [rows, length], 'i32'), mask: g.input('mask', [rows, length], 'i32') };
    return Object.fromEntries(
      model.crossKeyValues(g, model.encode(g, inputs)).map((kv, i) => [`cross.${i}`, cast(kv, keyValueCache)]),
    );
  });
  return [lower(encoder, backend, stored && { stored }), decoder('step', 1)];
}

function crossShapes(
  model: Extract<GenerativeModel, { kind: 'encoder-decoder' }>,
  rows: number,
  length: number,
): (readonly number[])[] {
  const shapes: (readonly number[])[] = [];
  trace('shapes', (g) => {
    const positions = model.sourceFeatures ? model.maxSourcePositions : length;
    const encoded = g.input('encoded', [rows, positions, model.width]);
    shapes.push(...model.crossKeyValues(g, encoded).map((kv) => kv.shape));
    return {};
  });
  return shapes;
}
