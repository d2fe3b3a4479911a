// The errors a user can meet, by what went wrong. Messages read `op: what is wrong: the values; what would be right`.

/** Shapes, axes or sizes that do not fit together. Thrown while a graph is traced. */
export class ShapeError extends RangeError {
  override readonly name = 'ShapeError';
}

/** Element types that do not fit together. Thrown while a graph is traced. */
export class DTypeError extends TypeError {
  override readonly name = 'DTypeError';
}

/** The backend cannot do what a graph asks for, and no definition in primitives helps. Thrown by `lower`. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}

/** Memory, bindings or pipelines could not be had, or something disposed was used. Thrown by a backend. */
export class BackendError extends Error {
  override readonly name: string = 'BackendError';
}

/** More memory is needed than a device was given. */
export class MemoryError extends BackendError {
  override readonly name = 'MemoryError';
  /** What is needed in all, with what is in use. */
  readonly bytes: number;

  constructor(message: string, bytes: number) {
    super(message);
    this.bytes = bytes;
  }
}

/** The device is gone; every buffer and program of it is lost. */
export class DeviceLostError extends Error {
  override readonly name = 'DeviceLostError';
}
