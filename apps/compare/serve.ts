// `npm start`: build the page, serve it with the headers that allow threads, and open it in the browser.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { servePage } from './server.ts';

const help = `npm start -- [options]    build the page and serve it to this machine

  --port N          port to listen on (default: 4173, or any free one where that is taken)
  --model PATH      compare with another model: a folder with config.json, model.safetensors and tokenizer.json, or a
                    .gguf file; the folder is served to this machine
  --no-isolation    leave out the headers that allow threads
  --no-open         do not open a browser
  --help            print this
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      model: { type: 'string' },
      'no-isolation': { type: 'boolean', default: false },
      'no-open': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const port = values.port === undefined ? undefined : portOf(values.port);
  const model = values.model === undefined ? undefined : modelOf(values.model);

  const folder = join(import.meta.dirname, 'dist');
  await build({ configFile: join(import.meta.dirname, 'vite.config.ts'), logLevel: 'warn' });
  const isolated = !values['no-isolation'];
  const options = { folder, isolated, ...(model && { mounts: { [model.mount]: model.folder } }) };
  const { url } =
    port === undefined
      ? await servePage({ ...options, port: 4173 }).catch(() => servePage({ ...options, port: 0 }))
      : await servePage({ ...options, port });
  const address = model ? `${url}?model=${encodeURIComponent(model.address)}` : url;
  process.stdout.write(`The page is at ${address}\nCtrl-C ends it.\n`);
  if (!values['no-open'] && hasDisplay()) open(address);
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65536) return port;
  throw new Error(`start: --port is ${text}; it must be a whole number from 0 to 65535`);
}

/** The folder that is served, where, and the address of the model. */
function modelOf(path: string): { folder: string; mount: string; address: string } {
  const full = resolve(process.env['INIT_CWD'] ?? '.', path);
  const file = /\.gguf$/i.test(full) ? basename(full) : undefined;
  const folder = file === undefined ? full : dirname(full);
  if (!existsSync(join(folder, file ?? 'config.json')))
    throw new Error(
      file === undefined
        ? `start: --model is ${path}, where there is no config.json; it must be the folder of a model, or a .gguf file`
        : `start: --model is ${path}, which does not exist; it must be a .gguf file, or the folder of a model`,
    );
  const mount = `/model/${encodeURIComponent(basename(folder))}`;
  return { folder, mount, address: file === undefined ? mount : `${mount}/${encodeURIComponent(file)}` };
}

/** Is there somebody to open a browser for? */
const hasDisplay = (): boolean =>
  !process.env['CI'] &&
  (process.platform !== 'linux' || Boolean(process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY']));

function open(address: string): void {
  const commands: Partial<Record<NodeJS.Platform, [string, string[]]>> = {
    darwin: ['open', [address]],
    win32: ['cmd', ['/c', 'start', '""', address.replaceAll('&', '^&')]],
  };
  const [command, args] = commands[process.platform] ?? ['xdg-open', [address]];
  const child = spawn(command, args, { stdio: 'ignore', detached: true, windowsVerbatimArguments: true });
  // Whoever has no such program still has the address that was printed.
  child.on('error', () => {});
  child.unref();
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
