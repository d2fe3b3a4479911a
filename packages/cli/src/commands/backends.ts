// `transept backends`: what there is to run on, here and now.
import type { Backend } from '@transept/tensor';
import type { Command } from 'commander';
import type { BackendTable } from '../backends.ts';
import { backendOptions, moduleOptions } from '../context.ts';
import type { Context, ModuleOptions } from '../context.ts';
import { registerModules } from '../models.ts';
import { print } from '../terminal.ts';

interface BackendsOptions extends ModuleOptions {
  readonly json?: true;
}

interface Found {
  readonly name: string;
  readonly available: boolean;
  readonly details?: Backend['capabilities']['details'];
  readonly problem?: string;
}

export function addBackends(program: Command, context: Context): void {
  const command = program
    .command('backends')
    .description('list the registered backends: what each can do here, or why it is not available')
    .option('--json', 'print JSON');
  moduleOptions(command).action((options: BackendsOptions) => run(context, options));
}

async function run(context: Context, options: BackendsOptions): Promise<void> {
  const { terminal, backends } = context;
  await registerModules(context, options);
  const found: Found[] = [];
  for (const name of backends.names) {
    terminal.signal.throwIfAborted();
    found.push(await tryBackend(backends, name, options));
  }
  await print(terminal.stdout, options.json ? `${JSON.stringify(found, null, 2)}\n` : found.map(describe).join(''));
}

async function tryBackend(backends: BackendTable, name: string, options: ModuleOptions): Promise<Found> {
  try {
    using backend = await backends.create(name, backendOptions(options));
    return { name, available: true, details: backend.capabilities.details };
  } catch (error) {
    return { name, available: false, problem: (error as Error).message };
  }
}

function describe({ name, details, problem }: Found): string {
  if (!details) return `${name}: not available: ${problem}\n`;
  const lines = Object.entries(details).map(([key, value]) => `  ${key}: ${String(value)}\n`);
  return `${name}\n${lines.join('')}`;
}
