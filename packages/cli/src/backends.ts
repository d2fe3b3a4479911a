// The backends a command can be asked for: ours by name, and those of third parties from modules. This is the one place
// below the apps that knows ours.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cpu } from '@transept/cpu-backend';
import { reference } from '@transept/tensor';
import type { Backend } from '@transept/tensor';
import { webgpu } from '@transept/webgpu-backend';
import { CommandError } from './errors.ts';

export interface BackendOptions {
  /** For backends that have threads. Default: what the backend thinks best. */
  readonly threads?: number | undefined;
  /** Most memory, for backends that can have more or less of it. Default: what the backend thinks best. */
  readonly maxBytes?: number | undefined;
}

export type BackendFactory = (options: BackendOptions) => Backend | Promise<Backend>;

export const ownBackends: Readonly<Record<string, BackendFactory>> = {
  reference: () => reference(),
  cpu: ({ threads, maxBytes }) =>
    cpu({ ...(threads !== undefined && { threads }), ...(maxBytes !== undefined && { maxBytes }) }),
  webgpu: () => webgpu(),
};

/** Backends by name. */
export class BackendTable {
  readonly #factories: Map<string, BackendFactory>;

  constructor(factories: Readonly<Record<string, BackendFactory>> = ownBackends) {
    this.#factories = new Map(Object.entries(factories));
  }

  get names(): string[] {
    return [...this.#factories.keys()];
  }

  /** The factory of that name. Throws a CommandError that lists the names there are. */
  find(name: string): BackendFactory {
    const factory = this.#factories.get(name);
    if (factory) return factory;
    throw new CommandError(
      `backend: "${name}" is not registered; there is ${this.names.join(', ')}, and --backend-module adds others`,
    );
  }

  async create(name: string, options: BackendOptions = {}): Promise<Backend> {
    return this.find(name)(options);
  }

  /**
   * Register the backend of an ES module: its default export, or the one named `backend`, is a factory. The backend is made
   * once to learn its name.
   */
  async register(path: string): Promise<void> {
    const module = await importModule(path);
    const factory = module.backend ?? module.default;
    if (typeof factory !== 'function')
      throw new CommandError(
        `backend: ${path} exports no factory; expected a function () => Backend as "backend" or as default`,
      );
    const create = factory as BackendFactory;
    const made: Partial<Backend> | undefined = await create({});
    using backend = isBackend(made, path);
    const { name } = backend;
    if (this.#factories.has(name))
      throw new CommandError(
        `backend: ${path} makes a backend named "${name}", which there is already; expected another name`,
      );
    this.#factories.set(name, create);
  }
}

async function importModule(path: string): Promise<{ backend?: unknown; default?: unknown }> {
  const url = path.startsWith('file:') ? path : pathToFileURL(resolve(path)).href;
  try {
    return (await import(/* @vite-ignore */ url)) as { backend?: unknown; default?: unknown };
  } catch (cause) {
    throw new CommandError(`backend: cannot import ${path}: ${(cause as Error).message}; expected an ES module`, {
      cause,
    });
  }
}

function isBackend(made: Partial<Backend> | undefined, path: string): Backend {
  const missing = [
    'name',
    'capabilities',
    'kernels',
    'memory',
    'lost',
    'alloc',
    'write',
    'read',
    'load',
    Symbol.dispose,
  ].filter((member) => (made as Record<string | symbol, unknown> | undefined)?.[member] === undefined);
  if (missing.length === 0) return made as Backend;
  throw new CommandError(
    `backend: the factory of ${path} gives something without ${missing.map(String).join(', ')}; expected a Backend as @transept/tensor declares it`,
  );
}
