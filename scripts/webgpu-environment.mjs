// Decides how Node reaches WebGPU on this machine: a driver that is installed, else SwiftShader, else not at all. Each
// way is tried in a process of its own, because a driver is chosen when a process starts. The answer is remembered for
// as long as the machine's drivers stay the same.
//
// The child learns the answer from TRANSEPT_WEBGPU: native, swiftshader or none.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { swiftshaderEnvironment } from './swiftshader.mjs';
import { cache, modules, nodeBinary, say, workspaceEnvironment } from './workspace.mjs';

/** @returns {Promise<NodeJS.ProcessEnv>} the variables to add */
export async function webgpuEnvironment() {
  if (process.env['TRANSEPT_WEBGPU'] !== undefined) return {};
  const file = join(cache, 'webgpu.json');
  const machine = describeDrivers();
  const known = readJson(file);
  if (known?.machine === machine) {
    if (known.way !== 'swiftshader') return { TRANSEPT_WEBGPU: known.way };
    return { TRANSEPT_WEBGPU: 'swiftshader', ...(await swiftshaderEnvironment()) };
  }
  const { way, environment, adapter, reason } = await choose();
  say(
    way === 'none'
      ? `WebGPU: not available (${reason}); going on with the other backends`
      : `WebGPU: ${adapter}${way === 'swiftshader' ? ` (software: ${reason})` : ''}`,
  );
  mkdirSync(cache, { recursive: true });
  writeFileSync(file, JSON.stringify({ machine, way, adapter }));
  return { TRANSEPT_WEBGPU: way, ...environment };
}

async function choose() {
  const native = findAdapter({});
  if (native.adapter) return { way: 'native', environment: {}, adapter: native.adapter };
  const swiftshader = await swiftshaderEnvironment();
  if (!swiftshader) return { way: 'none', environment: {}, reason: native.reason };
  const software = findAdapter(swiftshader);
  if (!software.adapter) return { way: 'none', environment: {}, reason: software.reason };
  return { way: 'swiftshader', environment: swiftshader, adapter: software.adapter, reason: native.reason };
}

/**
 * @param {NodeJS.ProcessEnv} environment
 * @returns {{ adapter?: string, reason: string }}
 */
function findAdapter(environment) {
  const program = `
    import { create, globals } from ${JSON.stringify(pathToFileURL(join(modules, 'webgpu', 'index.js')).href)};
    Object.assign(globalThis, globals);
    const adapter = await create([]).requestAdapter();
    if (!adapter) throw new Error('no adapter');
    const device = await adapter.requestDevice();
    device.destroy();
    const { vendor, architecture, device: model, description } = adapter.info;
    console.log(JSON.stringify({ adapter: description || model || [vendor, architecture].join(' ') }));
    process.exit();`;
  const result = spawnSync(nodeBinary, ['--input-type=module', '--eval', program], {
    env: workspaceEnvironment(environment),
    encoding: 'utf8',
    timeout: 30_000,
  });
  const answer = result.stdout?.split('\n').find((line) => line.startsWith('{"adapter":'));
  if (result.status === 0 && answer) return { ...JSON.parse(answer), reason: '' };
  const error = /Error: (.*)/.exec(result.stderr ?? '')?.[1];
  return { reason: error ?? `the attempt ended with ${result.status ?? result.signal ?? result.error?.message}` };
}

/** What the answer depends on: the system, and on Linux which drivers and devices there are. */
function describeDrivers() {
  const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/dev/dri'];
  const variables = ['LD_LIBRARY_PATH', 'VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'XDG_DATA_DIRS'];
  return JSON.stringify([
    [process.platform, process.arch, statSync(join(modules, 'webgpu', 'package.json')).ino],
    folders.map(listFolder),
    ['/dev/nvidiactl', '/dev/dxg'].map((path) => statSync(path, { throwIfNoEntry: false }) !== undefined),
    variables.map((name) => process.env[name] ?? null),
  ]);
}

/** @param {string} path */
function listFolder(path) {
  if (!statSync(path, { throwIfNoEntry: false })) return [];
  return readdirSync(path)
    .sort()
    .map((name) => `${name} ${statSync(join(path, name), { throwIfNoEntry: false })?.mtimeMs}`);
}

/** @param {string} file */
function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
