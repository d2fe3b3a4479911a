// The error of everything that comes from outside: a file that is missing, cut short, malformed, or not what was asked for.

/** A model's files cannot be used as they are. The message names the file, the tensor and the bytes, and what would be right. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** Text from outside, made fit for a message: quoted, escaped and cut. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
