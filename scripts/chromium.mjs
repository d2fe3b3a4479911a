// A Chromium for tests: the one that CHROMIUM names, one that is installed, or the headless one that comes with the npm
// package @sparticuz/chromium (Linux on x64), with flags under which a page finds WebGPU even without a GPU.
import { accessSync, constants, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromiumCache, chromiumPackage } from './swiftshader.mjs';
import { unpackArchive, unpackExecutable, unpackOnce } from './unpack.mjs';

const flags = [
  '--no-sandbox',
  '--headless=new',
  '--enable-unsafe-webgpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const softwareFlags = ['--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan,WebGPU'];

/** @returns {Promise<import('./chromium.d.mts').Chromium | undefined>} */
export async function findChromium() {
  const installed = [process.env['CHROMIUM'] ?? '', ...installedPlaces()].find(isExecutable);
  const args = process.platform === 'linux' ? [...flags, ...softwareFlags] : flags;
  if (installed) return { executablePath: installed, env: {}, args };
  return packagedChromium(args);
}

/** @param {string[]} args */
async function packagedChromium(args) {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const packed = (/** @type {string} */ name) => join(chromiumPackage, 'bin', name);
  if (!isReadable(packed('chromium.br'))) return undefined;
  const folder = await unpackOnce(chromiumCache('chromium'), async (partial) => {
    for (const name of ['al2023.tar.br', 'swiftshader.tar.br', 'fonts.tar.br']) unpackArchive(packed(name), partial);
    await unpackExecutable(packed('chromium.br'), join(partial, 'chromium'));
    writeFileSync(join(partial, 'fonts.conf'), fontConfiguration);
  });
  const libraries = [join(folder, 'lib'), folder, process.env['LD_LIBRARY_PATH']];
  return {
    executablePath: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: libraries.filter(Boolean).join(delimiter), FONTCONFIG_PATH: folder },
    args,
  };
}

/** The packaged fonts first, then those of the system. */
const fontConfiguration = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

function installedPlaces() {
  if (process.platform === 'darwin') {
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
      (app) => `/Applications/${app}.app/Contents/MacOS/${app}`,
    );
  }
  if (process.platform === 'win32') {
    const folders = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].map((name) => process.env[name] ?? 'C:\\');
    const programs = ['Google\\Chrome\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'];
    return programs.flatMap((program) => folders.map((folder) => join(folder, program)));
  }
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const programs = ['google-chrome-stable', 'google-chrome', 'chromium', 'chromium-browser'];
  return programs.flatMap((program) => folders.map((folder) => join(folder, program)));
}

/** @param {string} path */
function isExecutable(path) {
  return path !== '' && isReadable(path, constants.X_OK);
}

/** @param {string} path @param {number} [mode] */
function isReadable(path, mode = constants.R_OK) {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
