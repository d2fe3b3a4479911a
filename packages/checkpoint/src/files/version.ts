// Which version of a file on the web an answer is of, as far as the server says: by its ETag, else by its date.
import { CheckpointError } from '../errors.ts';

const headerNames = ['etag', 'last-modified'] as const;

/** What the first answer of each file said. */
export class Versions {
  readonly #known = new Map<string, Headers>();

  /** Throws a CheckpointError for an answer that is of another version than the one before. */
  check(name: string, { ok, headers }: Response): void {
    // Of what is compressed on the way the tag is another.
    if (!ok || headers.has('content-encoding')) return;
    const known = this.#known.get(name);
    if (!known) return void this.#known.set(name, headers);
    const header = headerNames.find((each) => known.has(each) && headers.has(each));
    if (!header || known.get(header) === headers.get(header)) return;
    throw new CheckpointError(
      `http: ${name} had the ${header} ${known.get(header)} and now has ${headers.get(header)}; it was changed while it was read: load it again`,
    );
  }

  forget(name: string): void {
    this.#known.delete(name);
  }
}
