// What goes wrong becomes one line on standard error and an exit code.

/** A command was asked for something it cannot do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** 0 is done; 1 is for backends that disagree. */
export const exitCodes = { done: 0, disagreement: 1, failed: 2, interrupted: 130 } as const;

/** Errors whose message says what is wrong with what was given, and what would be right. */
const explained: ReadonlySet<string> = new Set([
  'CommandError',
  'CheckpointError',
  'ConfigError',
  'TokenizerError',
  'InputError',
  'OptionError',
  'BackendError',
  'MemoryError',
  'DeviceLostError',
  'UnsupportedError',
  'ShapeError',
  'DTypeError',
]);

export interface DescribeOptions {
  /** Show where in the program it happened. */
  readonly verbose: boolean;
}

/** What to print for an error, with a line end. */
export function describeError(error: unknown, { verbose }: DescribeOptions): string {
  // Cleaning up failed as well; what came first is what went wrong.
  if (error instanceof SuppressedError && !verbose) return describeError(error.suppressed, { verbose });
  if (!(error instanceof Error)) return `transept: ${String(error)}\n`;
  if (verbose) return `transept: ${stacks(error).join('\ncaused by: ')}\n`;
  if (explained.has(error.name)) return `transept: ${error.message}\n`;
  return `transept: ${error.name}: ${error.message} (--verbose shows where)\n`;
}

function stacks(error: Error): string[] {
  const cause = error instanceof SuppressedError ? error.suppressed : error.cause;
  return [error.stack ?? error.message, ...(cause instanceof Error ? stacks(cause) : [])];
}

/** Why the system refused something with a file, in words. */
export function fileProblem(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return fileProblems[code ?? ''] ?? message;
}

const fileProblems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'there is no such file or folder',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
};
