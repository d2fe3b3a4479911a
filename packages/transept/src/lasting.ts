// A loaded model that outlives its device: where that is lost, another backend is made and the weights are read again.
import type { LoadedModel } from '@transept/models';
import { BackendError, DeviceLostError } from '@transept/tensor';
import type { Backend } from '@transept/tensor';

export interface LastingOptions {
  readonly name: string;
  /** Makes another backend. */
  readonly backend: (error: DeviceLostError) => Backend | Promise<Backend>;
  /** Reads the model onto it. */
  readonly load: (backend: Backend) => Promise<LoadedModel>;
}

export class LastingModel implements Disposable {
  readonly #options: LastingOptions;
  #loaded: LoadedModel;
  #recovering: Promise<LoadedModel> | undefined;
  #disposed = false;

  constructor(loaded: LoadedModel, options: LastingOptions) {
    this.#options = options;
    this.#loaded = loaded;
  }

  /** On the latest device. */
  get loaded(): LoadedModel {
    return this.#loaded;
  }

  /** The model on a device that is there; what is lost at the same time is read again once. */
  readonly recover = (error: DeviceLostError): Promise<LoadedModel> => {
    if (!isLost(this.#loaded.backend)) return Promise.resolve(this.#loaded);
    return (this.#recovering ??= this.#recover(error).finally(() => (this.#recovering = undefined)));
  };

  async #recover(error: DeviceLostError): Promise<LoadedModel> {
    const { backend: make, load } = this.#options;
    this.#check();
    using undo = new DisposableStack();
    const backend = undo.use(await make(error));
    const loaded = await load(backend);
    const made = undo.move();
    // It goes with the weights, which what still runs may hold; and after them.
    loaded.keep({ [Symbol.dispose]: () => queueMicrotask(() => made.dispose()) });
    if (this.#disposed) loaded[Symbol.dispose]();
    this.#check();
    this.#loaded[Symbol.dispose]();
    return (this.#loaded = loaded);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#loaded[Symbol.dispose]();
  }

  #check(): void {
    if (this.#disposed)
      throw new BackendError(`load: ${this.#options.name} was disposed, and its device is lost; load it again`);
  }
}

/** Asked of the backend itself: its promise tells later. */
function isLost(backend: Backend): boolean {
  try {
    backend.alloc(4)[Symbol.dispose]();
    return false;
  } catch (error) {
    return error instanceof DeviceLostError;
  }
}
