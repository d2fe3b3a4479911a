// What every command is given, and the options that most of them share.
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { CacheType, WeightType } from '@transept/models';
import type { BackendOptions, BackendTable } from './backends.ts';
import type { Terminal } from './terminal.ts';

export interface Context {
  readonly terminal: Terminal;
  readonly backends: BackendTable;
  /** The exit code of a command that worked; default 0. */
  finish(code: number): void;
}

/** Options of a command that needs the files of a model. */
export interface ModelOptions {
  readonly model?: string;
  readonly modelType?: string;
  readonly weights?: WeightType;
  readonly keyValueCache?: CacheType;
}

/** Options of a command that runs on a backend. */
export interface DeviceOptions extends ModuleOptions {
  readonly backend: string;
}

export interface ModuleOptions {
  readonly threads?: number;
  /** In GiB. */
  readonly memory?: number;
  readonly backendModule?: readonly string[];
}

export function modelOptions(command: Command): Command {
  return command
    .option(
      '--model <name>',
      'a folder with config.json and model.safetensors, a .gguf file, an address, or org/name on a hub; default: the model that comes with the repository',
    )
    .option('--model-type <name>', 'family of the model, where config.json has no model_type');
}

/** For commands that load weights. */
export function weightsOption(command: Command): Command {
  const types: WeightType[] = ['f32', 'f16', 'bf16', 'q8', 'q4'];
  return command.addOption(
    new Option('--weights <type>', 'how matrices are stored on the device; default: f32').choices(types),
  );
}

/** For commands whose models keep keys and values of earlier tokens. */
export function cacheOption(command: Command): Command {
  const types: CacheType[] = ['f32', 'f16'];
  return command.addOption(
    new Option('--key-value-cache <type>', 'how keys and values of earlier tokens are kept; default: f32').choices(
      types,
    ),
  );
}

export function deviceOptions(command: Command, { backends }: Context): Command {
  return moduleOptions(command.option('--backend <name>', `what to run on: ${backends.names.join(', ')}`, 'cpu'));
}

export function moduleOptions(command: Command): Command {
  return command
    .option('--threads <n>', 'threads of the cpu backend; default: up to four', wholeNumber(1))
    .option('--memory <gib>', 'most memory of the cpu backend in GiB, up to 16; default: 4', wholeNumber(1))
    .option(
      '--backend-module <path>',
      'ES module whose export "backend" makes a further backend; may be repeated',
      collect,
    );
}

/** What a backend is made with. */
export const backendOptions = ({ threads, memory }: Omit<ModuleOptions, 'backendModule'>): BackendOptions => ({
  threads,
  maxBytes: memory === undefined ? undefined : memory * 2 ** 30,
});

/** A parser for an option that is a whole number. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least && text.trim() !== '') return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} on.`);
  };

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];
