// SwiftShader, the software Vulkan driver that comes with the npm package @sparticuz/chromium (Linux on x64).
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { unpackArchive, unpackOnce } from './unpack.mjs';
import { cache, modules } from './workspace.mjs';

export const chromiumPackage = join(modules, '@sparticuz', 'chromium');

/** The cache folder of one part of the package, named after the package's version. @param {string} part */
export function chromiumCache(part) {
  const { version } = JSON.parse(readFileSync(join(chromiumPackage, 'package.json'), 'utf8'));
  return join(cache, `${part}-${version}`);
}

/**
 * The variables under which a process finds SwiftShader; they count only when set before it starts.
 * @returns {Promise<{ LD_LIBRARY_PATH: string, VK_DRIVER_FILES: string } | undefined>}
 */
export async function swiftshaderEnvironment() {
  const archive = join(chromiumPackage, 'bin', 'swiftshader.tar.br');
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(archive)) return undefined;
  const folder = await unpackOnce(chromiumCache('swiftshader'), (partial) => unpackArchive(archive, partial));
  return {
    LD_LIBRARY_PATH: [folder, process.env['LD_LIBRARY_PATH']].filter(Boolean).join(delimiter),
    VK_DRIVER_FILES: join(folder, 'vk_swiftshader_icd.json'),
  };
}
