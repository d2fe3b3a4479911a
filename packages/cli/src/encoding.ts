// The options of commands that turn texts into vectors.
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { EmbedOptions } from 'transept';
import { wholeNumber } from './context.ts';

export interface EncodingOptions {
  readonly pooling?: NonNullable<EmbedOptions['pooling']>;
  readonly prompt?: string;
  readonly promptName?: string;
  readonly batch: number;
}

const poolings = ['cls', 'mean', 'max', 'meanSqrtLength', 'weightedMean', 'lastToken'] as const;

export function encodingOptions(command: Command): Command {
  return command
    .option(
      '--pooling <kind>',
      `how tokens become one vector: ${poolings.join(', ')}; default: as the folder says, else mean`,
      (text: string) => {
        const kind = poolings.find((p) => p === text);
        if (kind) return kind;
        throw new InvalidArgumentError(`It must be one of ${poolings.join(', ')}.`);
      },
    )
    .option('--prompt <text>', 'put before each text; default: as the folder says, else nothing')
    .option('--prompt-name <name>', "one of the folder's prompts")
    .option('--batch <n>', 'texts that go through the model together', wholeNumber(1), 16);
}

export const embedOptions = ({ pooling, prompt, promptName, batch }: EncodingOptions): EmbedOptions => ({
  batchSize: batch,
  ...(pooling && { pooling }),
  ...(prompt !== undefined && { prompt }),
  ...(promptName !== undefined && { promptName }),
});
