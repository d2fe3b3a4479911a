// From files to a model on a device: every weight that the model's graphs ask for is checked against the checkpoint first, then
// streamed into a buffer of its own. A load that fails or is cancelled leaves nothing allocated.
import { openCheckpoint, readJson } from '@transept/checkpoint';
import type { Checkpoint, Files } from '@transept/checkpoint';
import { BackendError, bytesPer, elements, trace } from '@transept/tensor';
import type { Backend, Buffer, Graph, Parameter, TracedGraph } from '@transept/tensor';
import type { Json } from './config.ts';
import type { Model } from './family.ts';
import { createModel } from './registry.ts';

export interface LoadProgress {
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface LoadModelOptions {
  /** Family to use when config.json has no `model_type`. */
  readonly modelType?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** A model with its weights on a device. Disposing it frees them. */
export interface LoadedModel extends Disposable {
  readonly model: Model;
  readonly config: Json;
  readonly backend: Backend;
  /** Bytes of weights on the device. */
  readonly bytes: number;
  /** The buffer of a parameter of one of the model's graphs. Constants are made when they are first asked for. */
  parameter(parameter: Parameter): Buffer;
  /** Something that uses the weights, to be disposed before them. */
  keep<T extends Disposable>(thing: T): T;
}

/** Read config.json and the weights of a Hugging Face folder onto a device. */
export async function loadModel(files: Files, backend: Backend, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const { signal, onProgress, modelType } = options;
  const config = await readJson(files, 'config.json', signal && { signal });
  const model = createModel(config, modelType);
  const checkpoint = await openCheckpoint(files, signal && { signal });
  const parameters = parametersOf(model);
  const { destinations, absent } = locate(parameters, checkpoint, model);

  using undo = new DisposableStack();
  const buffers = new Map<string, Buffer>();
  let bytes = 0;
  const add = (parameter: Parameter, owner: DisposableStack): Buffer => {
    const size = Math.ceil((elements(parameter.shape) * bytesPer[parameter.dtype]) / 4) * 4;
    const buffer = allocate(backend, parameter, size);
    bytes += size;
    owner.use(buffer);
    buffers.set(parameter.name, buffer);
    if ('values' in parameter.source) backend.write(buffer, parameter.source.values);
    for (const { start, count } of absent.get(parameter.name) ?? [])
      backend.write(buffer, new Float32Array(count), start * 4);
    return buffer;
  };
  for (const parameter of parameters) add(parameter, undo);

  const totalBytes = [...destinations.keys()].reduce((n, name) => {
    const { start, end } = checkpoint.find(name);
    return n + end - start;
  }, 0);
  let done = 0;
  for await (const piece of checkpoint.stream(destinations.keys(), { as: 'f32', ...(signal && { signal }) })) {
    const { info, offset, data, last } = piece;
    for (const { parameter, start, plus } of destinations.get(info.name)!)
      backend.write(buffers.get(parameter)!, plus ? data.map((x) => x + plus) : data, (start + offset) * 4);
    if (!last || !onProgress) continue;
    done += info.end - info.start;
    onProgress({ bytes: done, totalBytes });
  }

  const weights = undo.move();
  const users = new DisposableStack();
  return {
    model,
    config,
    backend,
    get bytes() {
      return bytes;
    },
    parameter(parameter) {
      const known = buffers.get(parameter.name);
      if (known) return known;
      if ('parts' in parameter.source)
        throw new Error(`load: parameter "${parameter.name}" was not loaded; a model must ask for all its weights in its smallest graphs`);
      return add(parameter, weights);
    },
    keep: (thing) => users.use(thing),
    [Symbol.dispose]() {
      using _ = weights;
      users.dispose();
    },
  };
}

function allocate(backend: Backend, { name, shape }: Parameter, bytes: number): Buffer {
  try {
    return backend.alloc(bytes);
  } catch (cause) {
    throw new BackendError(`load: no memory for "${name}" of shape [${shape.join(', ')}]: ${(cause as Error).message}`, { cause });
  }
}

/** Everything that the graphs of a model ask for, found by tracing the smallest of them. */
export function parametersOf(model: Model): Parameter[] {
  const found = new Map<string, Parameter>();
  const collect = (build: (g: Graph) => unknown): void => {
    const { graph }: TracedGraph = trace('parameters', (g) => {
      build(g);
      return {};
    });
    for (const [name, parameter] of graph.parameters) found.set(name, parameter);
  };
  collect((g) => {
    if (model.kind === 'vision') return model.outputs(g, model.encode(g, g.input('pixels', [1, ...model.imageShape])));
    const ids = g.input('ids', [1, 1], 'i32');
    if (model.kind === 'decoder') return model.decode(g, { ids });
    const mask = g.input('mask', [1, 1], 'i32');
    if (model.kind === 'encoder') return model.outputs(g, model.encode(g, { ids, mask }), { ids, mask });
    const features = model.sourceFeatures && g.input('features', [1, ...model.sourceFeatures]);
    const keyValues = model.crossKeyValues(g, model.encode(g, features ? { features } : { ids, mask }));
    return model.decode(g, { ids }, { keyValues, ...(!features && { mask }) });
  });
  return [...found.values()];
}

interface Destination {
  readonly parameter: string;
  /** First element in the parameter. */
  readonly start: number;
  /** Added to every value. */
  readonly plus: number;
}

/** Elements of a parameter that the checkpoint says nothing of, and that are zeros. */
interface Absent {
  readonly start: number;
  readonly count: number;
}

interface Located {
  /** By tensor of the checkpoint. */
  readonly destinations: ReadonlyMap<string, readonly Destination[]>;
  /** By parameter. */
  readonly absent: ReadonlyMap<string, readonly Absent[]>;
}

/** Where each tensor of the checkpoint goes. Throws a CheckpointError for one that is missing or has another shape. */
function locate(parameters: readonly Parameter[], checkpoint: Checkpoint, model: Model): Located {
  const stored = (name: string): string =>
    checkpoint.tensors.has(name) ? name : (model.alternatives?.(name).find((n) => checkpoint.tensors.has(n)) ?? name);
  const destinations = new Map<string, Destination[]>();
  const absent = new Map<string, Absent[]>();
  for (const { name: parameter, source } of parameters) {
    if ('values' in source) continue;
    let start = 0;
    for (const { name: asked, shape, optional } of source.parts) {
      const name = stored(asked);
      const count = elements(shape);
      if (optional && !checkpoint.tensors.has(name))
        absent.set(parameter, [...(absent.get(parameter) ?? []), { start, count }]);
      else {
        checkpoint.find(name, shape);
        destinations.set(name, [...(destinations.get(name) ?? []), { parameter, start, plus: source.plus ?? 0 }]);
      }
      start += count;
    }
  }
  return { destinations, absent };
}
