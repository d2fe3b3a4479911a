// From files to a model on a device: every weight that the model's graphs ask for is checked against the checkpoint first, and the
// sum of all against the device; then they are streamed into buffers of their own, converted on the way. A load that fails or is
// cancelled leaves nothing allocated.
import { encode, openCheckpoint, readJson, Workspace } from '@transept/checkpoint';
import type { Arrays, Files, Piece, Target, TensorInfo } from '@transept/checkpoint';
import { BackendError, storedBytes } from '@transept/tensor';
import type { Backend, Buffer, Parameter, Storage } from '@transept/tensor';
import type { Json } from './config.ts';
import { checkContent, contentOf } from './loading/content.ts';
import type { Content } from './loading/content.ts';
import { locate, transposedIn } from './loading/locate.ts';
import type { Destination } from './loading/locate.ts';
import { parametersOf } from './loading/parameters.ts';
import { probeKeyValues } from './loading/probe.ts';
import { checkCache, checkMemory, parameterBytes, storageOf } from './loading/storage.ts';
import type { CacheType, WeightType } from './loading/storage.ts';
import { tyingOf } from './loading/tied.ts';
import { unusedTensors } from './loading/unused.ts';
import { Writer } from './loading/writer.ts';
import { createModel } from './registry.ts';
import type { Model } from './family.ts';

export interface LoadProgress {
  /** Bytes of the files that are on the device, and how many there will be. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Milliseconds that the rest will take at the speed so far. Undefined in the first moments. */
  readonly remainingMs?: number;
}

export interface LoadModelOptions {
  /** Family to use when config.json has no `model_type`. */
  readonly modelType?: string;
  /**
   * How matrices are stored on the device. `f16` keeps such weights as they are and refuses others that do not fit; `q8` and `q4`
   * share a scale among 32 values. A backend that cannot take one refuses it. Default: f32.
   */
  readonly weights?: WeightType;
  /**
   * How keys and values of earlier tokens are kept. `f16` halves the memory that generation takes and reads for every token; a
   * backend whose memory cannot hold it refuses it, as does a model whose keys and values go beyond it. Default: f32.
   */
  readonly keyValueCache?: CacheType;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

/** A model with its weights on a device. Disposing it frees them, or as soon as nothing holds them any more. */
export interface LoadedModel extends Disposable {
  readonly model: Model;
  readonly config: Json;
  readonly backend: Backend;
  /** Bytes of weights on the device. */
  readonly bytes: number;
  /** How parameters are stored that are not f32, by name: for `lower`. */
  readonly stored: ReadonlyMap<string, Storage>;
  /** How keys and values of earlier tokens are kept. */
  readonly keyValueCache: CacheType;
  /** Tensors that the checkpoint holds and the model never reads, without tables that can be computed and copies of what is read. */
  readonly unused: readonly string[];
  /** Where the checkpoint is not as its configuration says, and what was done: a sentence each. */
  readonly warnings: readonly string[];
  /**
   * The buffer of a parameter of one of the model's graphs. Constants are made when they are first asked for. Throws where the name
   * stood for another content before.
   */
  parameter(parameter: Parameter): Buffer;
  /** Something that uses the weights, to be disposed before them. */
  keep<T extends Disposable>(thing: T): T;
  /** Keeps the weights until what it gives is disposed. Throws a BackendError where the model is disposed. */
  hold(): Disposable;
}

/** Read config.json and the weights of a Hugging Face folder onto a device. */
export async function loadModel(files: Files, backend: Backend, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const { signal, modelType, weights = 'f32', keyValueCache = 'f32' } = options;
  const cancel = signal ? { signal } : {};
  const said = await readJson(files, 'config.json', cancel);
  const asSaid = createModel(said, modelType);
  checkCache(keyValueCache, backend);
  checkMemory(parametersOf(asSaid), storageOf(asSaid, backend, weights), backend);
  const asWritten = await openCheckpoint(files, cancel);
  const { model, config, copies, warnings } = await tyingOf(asSaid, said, modelType, {
    files,
    checkpoint: asWritten,
    ...cancel,
  });
  const parameters = parametersOf(model);
  const stored = storageOf(model, backend, weights);
  const checkpoint = asWritten.transposed(transposedIn(parameters, asWritten, model));
  const destinations = locate(parameters, checkpoint, model);
  checkMemory(parameters, stored, backend);

  using undo = new DisposableStack();
  const buffers = new Map<string, Buffer>();
  const contents = new Map<string, Content>();
  let bytes = 0;
  const add = (parameter: Parameter, owner: DisposableStack): Buffer => {
    const size = parameterBytes(parameter, stored.get(parameter.name));
    const buffer = allocate(backend, parameter, size);
    bytes += size;
    owner.use(buffer);
    buffers.set(parameter.name, buffer);
    contents.set(parameter.name, contentOf(parameter));
    if ('values' in parameter.source) backend.write(buffer, parameter.source.values);
    return buffer;
  };
  for (const parameter of parameters) add(parameter, undo);

  const report = progress(
    [...destinations.keys()].reduce((n, name) => n + sizeOf(checkpoint.find(name)), 0),
    options.onProgress,
  );
  const writer = new Writer(backend);
  const space = new Workspace();
  /** What a tensor is read as: as it will be stored, if that is the same everywhere and nothing is added to it. */
  const as = ({ name }: TensorInfo): Target => {
    const [first, ...rest] = destinations.get(name)!;
    const storage = stored.get(first!.parameter) ?? 'f32';
    return rest.some(({ parameter }) => (stored.get(parameter) ?? 'f32') !== storage) ? 'f32' : storage;
  };
  for await (const piece of checkpoint.stream(destinations.keys(), { as, ...cancel })) {
    for (const destination of destinations.get(piece.info.name)!)
      put(writer, buffers.get(destination.parameter)!, piece, destination, stored.get(destination.parameter), space);
    report(piece.bytes);
  }
  writer.end();
  await files.verified?.(cancel);

  const owned = undo.move();
  const users = new DisposableStack();
  let holds = 0;
  let disposed = false;
  const freeIfUnused = (): void => {
    if (!disposed || holds > 0 || users.disposed) return;
    using _ = owned;
    users.dispose();
  };
  const loaded: LoadedModel = {
    model,
    config,
    backend,
    stored,
    keyValueCache,
    unused: unusedTensors(checkpoint, destinations, copies),
    warnings,
    get bytes() {
      return bytes;
    },
    parameter(parameter) {
      const known = buffers.get(parameter.name);
      if (known) {
        checkContent(contents.get(parameter.name)!, parameter);
        return known;
      }
      if ('parts' in parameter.source)
        throw new Error(
          `load: parameter "${parameter.name}" was not loaded; a model must ask for all its weights in its smallest graphs`,
        );
      return add(parameter, owned);
    },
    keep: (thing) => users.use(thing),
    hold() {
      if (disposed) throw new BackendError(`load: ${files.name} was disposed; load it again`);
      holds++;
      const held = new DisposableStack();
      held.defer(() => {
        holds--;
        freeIfUnused();
      });
      return held;
    },
    [Symbol.dispose]() {
      disposed = true;
      freeIfUnused();
    },
  };
  if (keyValueCache === 'f16') await orDisposed(loaded, probeKeyValues(loaded, signal));
  return loaded;
}

async function orDisposed(loaded: LoadedModel, work: Promise<void>): Promise<void> {
  using undo = new DisposableStack();
  undo.use(loaded);
  await work;
  undo.move();
}

/** One piece of a tensor to its place in a parameter. */
function put(
  writer: Writer,
  buffer: Buffer,
  { as, data, offset }: Piece<Target>,
  { start, plus }: Destination,
  stored: Storage | undefined,
  space: Workspace,
): void {
  const first = start + offset;
  if (stored)
    return writer.write(buffer, as === 'f32' ? encode(data, stored, space) : data, storedBytes(stored, first));
  writer.write(buffer, plus ? added(data, plus, space) : data, first * 4);
}

function added(data: Arrays[Target], plus: number, space: Workspace): Float32Array<ArrayBuffer> {
  const out = space.take('values', 'f32', data.length);
  for (let i = 0; i < out.length; i++) out[i] = data[i]! + plus;
  return out;
}

const sizeOf = ({ start, end }: TensorInfo): number => end - start;

/** Before this much time a speed says nothing. */
const ESTIMATE_MS = 200;

function progress(totalBytes: number, report: LoadModelOptions['onProgress']): (more: number) => void {
  const began = performance.now();
  let bytes = 0;
  return (more) => {
    bytes += more;
    const passed = performance.now() - began;
    const known = passed >= ESTIMATE_MS && bytes > 0;
    report?.({ bytes, totalBytes, ...(known && { remainingMs: (passed / bytes) * (totalBytes - bytes) }) });
  };
}

function allocate(backend: Backend, { name, shape }: Parameter, bytes: number): Buffer {
  try {
    return backend.alloc(bytes);
  } catch (cause) {
    throw new BackendError(
      `load: no memory for "${name}" of shape [${shape.join(', ')}]: ${(cause as Error).message}`,
      { cause },
    );
  }
}
