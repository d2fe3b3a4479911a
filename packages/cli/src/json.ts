// What JSON needs help with.

/** JSON has no NaN and no infinities; they become strings: a replacer for JSON.stringify. */
export const withNaN = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
