// `transept models`: what was fetched from hubs and is kept, and the way to be rid of it.
import { defaultCache } from '@transept/checkpoint';
import type { CachedModel } from '@transept/checkpoint';
import { modelTypes } from '@transept/models';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { table } from '../draw/table.ts';
import { CommandError } from '../errors.ts';
import { megabytes } from '../progress.ts';
import { columnsOf, print } from '../terminal.ts';

interface ModelsOptions {
  readonly delete?: readonly string[];
  readonly types?: true;
  readonly json?: true;
}

export function addModels(program: Command, context: Context): void {
  program
    .command('models')
    .description('list the models in the cache of hub downloads, or delete some')
    .option('--delete <org/name...>', 'delete these, all revisions')
    .option('--types', 'list the model types that can be loaded instead')
    .option('--json', 'print JSON')
    .action((options: ModelsOptions) => run(context, options));
}

async function run({ terminal }: Context, options: ModelsOptions): Promise<void> {
  const { stdout } = terminal;
  if (options.types) {
    const types = modelTypes();
    return print(stdout, options.json ? `${JSON.stringify(types)}\n` : `${types.join('\n')}\n`);
  }
  const cache = await defaultCache();
  const models = await cache.models();
  if (options.delete) {
    const known = new Set(models.map((model) => model.repo));
    const foreign = options.delete.find((repo) => !known.has(repo));
    if (foreign !== undefined)
      throw new CommandError(
        `models: ${foreign} is not in the cache (${cache.name}); it has ${[...known].join(', ') || 'nothing'}`,
      );
    for (const repo of options.delete) await cache.remove(repo);
    const gone = models.filter(({ repo }) => options.delete!.includes(repo));
    const freed = gone.reduce((bytes, model) => bytes + model.bytes, 0);
    return print(
      stdout,
      options.json ? `${JSON.stringify({ deleted: options.delete, bytes: freed })}\n` : `${megabytes(freed)} freed\n`,
    );
  }
  await print(
    stdout,
    options.json
      ? `${JSON.stringify({ cache: cache.name, models }, null, 2)}\n`
      : show(models, cache.name, columnsOf(stdout)),
  );
}

function show(models: readonly CachedModel[], place: string, width: number): string {
  if (models.length === 0) return `no models in ${place}\n`;
  const rows = models.map(({ repo, bytes, revisions, files }) => [
    repo,
    revisions.join(', '),
    String(files.length),
    megabytes(bytes),
  ]);
  const lines = table(rows, {
    head: ['model', 'revisions', 'files', 'size'],
    width,
    align: ['left', 'left', 'right', 'right'],
  });
  return `${lines.join('\n')}\n\nin ${place}\n`;
}
