// JSON from outside: bounded in size and depth, valid UTF-8, no name twice in one object. `JSON.parse` builds the value;
// one pass over the text finds what it lets through.
import { CheckpointError, quoted } from './errors.ts';
import type { Files } from './files/files.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 64;
/** The largest tokenizer.json in use is about 35 MB. */
const MAX_JSON_BYTES = 128e6;

/** Read and check a JSON file whose top level is an object. Throws a CheckpointError that names the file and the place. */
export async function readJson(
  files: Files,
  path: string,
  { limit = MAX_JSON_BYTES, signal }: { readonly limit?: number; readonly signal?: AbortSignal } = {},
): Promise<JsonObject> {
  const options = signal ? { signal } : {};
  const size = await files.size(path, options);
  const what = `${files.name}/${path}`;
  if (size > limit) throw new CheckpointError(`readJson: ${what} has ${size} bytes; expected at most ${limit}`);
  return parseJson(await files.read(path, { start: 0, end: size, ...options }), what);
}

/** Parse UTF-8 bytes as a JSON object; `what` names them in errors. */
export function parseJson(bytes: Uint8Array, what: string): JsonObject {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CheckpointError(`readJson: ${what} is not valid UTF-8; expected JSON text`, { cause });
  }
  checkNesting(text, what);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(`readJson: ${what} is not JSON: ${(cause as Error).message}`, { cause });
  }
  if (!isObject(value))
    throw new CheckpointError(`readJson: ${what} holds ${describe(value)}; expected an object at the top level`);
  return value;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value from outside in a few characters. */
export function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Throws when brackets nest too deep or an object has a name twice. Text that is not JSON is left to `JSON.parse`. */
function checkNesting(text: string, what: string): void {
  // One set of names per open object, undefined per open array.
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x7b: // {
      case 0x5b: // [
        if (open.push(text.charCodeAt(i) === 0x7b ? new Set() : undefined) > MAX_DEPTH)
          throw new CheckpointError(`readJson: ${what} nests deeper than ${MAX_DEPTH} levels at character ${i}`);
        break;
      case 0x7d: // }
      case 0x5d: // ]
        open.pop();
        break;
      case 0x22: {
        const start = i++;
        let plain = true;
        for (; i < text.length && text.charCodeAt(i) !== 0x22; i++)
          if (text.charCodeAt(i) === 0x5c) {
            plain = false;
            i++;
          }
        const names = open.at(-1);
        if (names && isName(text, i + 1)) {
          const name = plain ? text.slice(start + 1, i) : unescaped(text.slice(start, i + 1));
          if (names.has(name))
            throw new CheckpointError(
              `readJson: ${what} has the name ${quoted(name)} twice in one object, at character ${start}`,
            );
          names.add(name);
        }
      }
    }
  }
}

/** Does a colon follow, after white space? */
function isName(text: string, at: number): boolean {
  while (at < text.length && ' \t\n\r'.includes(text[at]!)) at++;
  return text[at] === ':';
}

function unescaped(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    return literal;
  }
}
