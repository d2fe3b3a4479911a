/** What this package throws: a file that can't be used, or a text that its model has no token for. */
export class TokenizerError extends Error {
  override readonly name = 'TokenizerError';
}
