// Where files of a hub are kept between sessions. A blob is the contents of one file, named by its hash; a snapshot says which
// blobs the files of one commit are. On disk this is the layout of huggingface_hub, so that both find each other's downloads.

/** The contents of a file that is there in full. */
export interface CachedBlob {
  readonly size: number;
  /** Bytes start … end-1, at the beginning of `into` where that is given and the cache can. */
  read(start: number, end: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** A blob on its way: bytes are appended until it is whole. Held by one writer at a time. */
export interface PartialBlob {
  /** How many bytes are there, from an earlier session too. */
  readonly size: number;
  append(bytes: Uint8Array): Promise<void>;
  read(start: number, end: number, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Throw the bytes away. */
  clear(): Promise<void>;
  /** It is whole and right: from now on a blob. */
  finish(): Promise<void>;
  /** Keep the bytes for later, and let others write. */
  close(): Promise<void>;
}

/** What is kept of one model. */
export interface CachedModel {
  readonly repo: string;
  /** Bytes of its blobs, those on their way included. */
  readonly bytes: number;
  /** Revisions by name, such as `main`. */
  readonly revisions: readonly string[];
  /** Paths of files that are there in full, of all commits. */
  readonly files: readonly string[];
}

export interface HubCache {
  /** What to call this place in messages. */
  readonly name: string;
  /** The commit that a revision was when it was last asked for. */
  commitOf(repo: string, revision: string): Promise<string | undefined>;
  setCommit(repo: string, revision: string, commit: string): Promise<void>;
  /** A file of a commit. */
  find(repo: string, commit: string, path: string): Promise<CachedBlob | undefined>;
  /** Is it known that a commit has no such file? Commits do not change. */
  isAbsent(repo: string, commit: string, path: string): Promise<boolean>;
  setAbsent(repo: string, commit: string, path: string): Promise<void>;
  blob(repo: string, id: string): Promise<CachedBlob | undefined>;
  /** Say that a blob is a file of a commit. */
  link(repo: string, commit: string, path: string, id: string): Promise<void>;
  /** Begin or go on with a blob. Waits while another process or tab writes it. */
  open(repo: string, id: string, signal?: AbortSignal): Promise<PartialBlob>;
  models(): Promise<CachedModel[]>;
  /** Delete everything of a model. False where there is nothing. */
  remove(repo: string): Promise<boolean>;
}
