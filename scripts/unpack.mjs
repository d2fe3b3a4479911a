// Unpacks brotli-compressed files and archives into the cache, once, and atomically: a folder appears when it is
// complete, so that two processes may do it at the same time.
import { mkdirSync, mkdtempSync, createReadStream, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { brotliDecompressSync, createBrotliDecompress } from 'node:zlib';

/**
 * Returns `folder`, after `fill` has written its contents into a folder beside it.
 * @param {string} folder
 * @param {(partial: string) => Promise<void> | void} fill
 */
export async function unpackOnce(folder, fill) {
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const partial = mkdtempSync(`${folder}.partial-`);
  try {
    await fill(partial);
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/**
 * @param {string} file a brotli-compressed file
 * @param {string} target where the executable goes
 */
export async function unpackExecutable(file, target) {
  await pipeline(createReadStream(file), createBrotliDecompress(), createWriteStream(target, { mode: 0o755 }));
}

/**
 * Unpacks a brotli-compressed ustar archive: files, folders and symbolic links.
 * @param {string} file
 * @param {string} folder
 */
export function unpackArchive(file, folder) {
  const archive = brotliDecompressSync(readFileSync(file));
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0;) {
    const field = (/** @type {number} */ from, /** @type {number} */ length) =>
      archive.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const name = [field(345, 155), field(0, 100)].filter(Boolean).join('/');
    const size = Number.parseInt(field(124, 12), 8);
    const target = resolve(folder, name);
    if (!target.startsWith(resolve(folder) + sep)) throw new Error(`unpack: ${file} has a path outside of it: ${name}`);
    mkdirSync(dirname(target), { recursive: true });
    const type = field(156, 1);
    if (type === '' || type === '0') {
      const mode = Number.parseInt(field(100, 8), 8);
      writeFileSync(target, archive.subarray(at + 512, at + 512 + size), { mode });
    } else if (type === '5') {
      mkdirSync(target, { recursive: true });
    } else if (type === '2') {
      symlinkSync(field(157, 100), target);
    } else {
      throw new Error(`unpack: ${file} has an entry of type ${type}: ${name}; files, folders and links are known`);
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
