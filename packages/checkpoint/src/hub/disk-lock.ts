// A lock that processes hold by a file with a token of theirs. Its owner touches it; one that was not touched for long is nobody's,
// and is taken away under a lock of its own, so that two who find it can't remove each other's.

type FileSystem = typeof import('node:fs/promises');

const STALE_MS = 20_000;
const TOUCH_MS = 4_000;
const POLL_MS = 150;

export interface DiskLock {
  /** Is it still this one's? Not, if the process slept for so long that another took it over. */
  held(): Promise<boolean>;
  /** Gives it back, if it is still this one's. */
  release(): Promise<void>;
}

/** Resolves when nobody else holds the lock. Rejects with what the file system says where the file can't be made. */
export async function diskLock(fs: FileSystem, path: string, signal?: AbortSignal): Promise<DiskLock> {
  const token = crypto.randomUUID();
  for (;;) {
    signal?.throwIfAborted();
    try {
      await fs.writeFile(path, token, { flag: 'wx' });
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    }
    if (await isStale(fs, path)) await removeStale(fs, path, signal);
    else await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const held = async (): Promise<boolean> => (await tokenOf(fs, path)) === token;
  const touch = setInterval(async () => {
    const now = new Date();
    if (await held()) await fs.utimes(path, now, now).catch(() => {});
  }, TOUCH_MS);
  touch.unref();
  return {
    held,
    async release() {
      clearInterval(touch);
      if (await held()) await fs.rm(path, { force: true });
    },
  };
}

async function removeStale(fs: FileSystem, path: string, signal?: AbortSignal): Promise<void> {
  const taking = await diskLock(fs, `${path}-taking`, signal);
  try {
    const token = await tokenOf(fs, path);
    if (token === undefined || !(await isStale(fs, path))) return;
    const aside = `${path}-${crypto.randomUUID()}`;
    await fs.rename(path, aside).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause;
    });
    // The owner may have woken up and given it back, and the file be another's by now.
    const moved = await tokenOf(fs, aside);
    if (moved !== undefined && moved !== token) await fs.writeFile(path, moved, { flag: 'wx' }).catch(() => {});
    await fs.rm(aside, { force: true });
  } finally {
    await taking.release();
  }
}

const tokenOf = (fs: FileSystem, path: string): Promise<string | undefined> =>
  fs.readFile(path, 'utf8').catch(() => undefined);

async function isStale(fs: FileSystem, path: string): Promise<boolean> {
  const stat = await fs.stat(path).catch(() => undefined);
  return stat !== undefined && Date.now() - stat.mtimeMs > STALE_MS;
}
