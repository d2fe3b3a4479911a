// Valid files made wrong: bytes and numbers changed, parts cut out, doubled and moved, ends lost; in JSON also values and names.
import type { Random } from './random.ts';

/** Numbers at which code goes wrong. */
const numbers = [
  0n,
  1n,
  7n,
  0x7fn,
  0xffn,
  0x7fffn,
  0xffffn,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 40n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** A changed copy. */
export function mutateBytes(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  let out = bytes.slice();
  for (let n = random.below(4); n >= 0; n--) out = mutateOnce(out, random);
  return out;
}

function mutateOnce(bytes: Uint8Array<ArrayBuffer>, random: Random): Uint8Array<ArrayBuffer> {
  if (bytes.length === 0) return Uint8Array.of(random.below(256));
  const at = random.below(bytes.length);
  const end = Math.min(bytes.length, at + 1 + random.below(random.pick([2, 16, 256, 65536])));
  switch (random.below(9)) {
    case 0:
      bytes[at]! ^= 1 << random.below(8);
      return bytes;
    case 1:
    case 2:
      bytes[at] = random.below(256);
      return bytes;
    case 3:
    case 4: {
      const width = random.pick([1, 2, 4, 8]);
      const value = random.pick(numbers) + BigInt(random.below(3) - 1);
      const place = random.below(2) ? at : at - (at % width);
      for (let i = 0; i < width && place + i < bytes.length; i++)
        bytes[place + i] = Number((value >> BigInt(8 * i)) & 255n);
      return bytes;
    }
    case 5:
      return bytes.slice(0, at);
    case 6:
      return join(bytes.subarray(0, at), bytes.subarray(end));
    case 7:
      return join(bytes.subarray(0, end), bytes.subarray(at));
    default: {
      const from = random.below(bytes.length);
      bytes.copyWithin(at, from, Math.min(bytes.length, from + end - at));
      return bytes;
    }
  }
}

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const values: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  1,
  -1,
  2,
  3,
  1.5,
  1e9,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e300,
  -1e-300,
  '',
  'x',
  '__proto__',
  'constructor',
  '\u0000',
  '\ud800',
  '▁',
  [],
  {},
  [[]],
  'a'.repeat(5000),
  Array.from({ length: 300 }, () => 'x'),
];

/** JSON text with values replaced, moved, left out or named otherwise. */
export function mutateJson(text: string, random: Random): string {
  const json: unknown = JSON.parse(text);
  for (let n = random.below(3); n >= 0; n--) {
    const places = placesOf(json, random);
    if (places.length === 0) break;
    const { container, key } = random.pick(places);
    const own = container as Record<string, unknown>;
    switch (random.below(6)) {
      case 0:
        if (Array.isArray(container)) container.splice(Number(key), 1);
        else delete own[key];
        break;
      case 1: {
        const other = random.pick(places);
        own[key] = structuredClone((other.container as Record<string, unknown>)[other.key]);
        break;
      }
      case 2:
        if (typeof own[key] === 'number')
          own[key] = own[key] * random.pick([-1, 0.5, 2, 1e3, 1e6]) + random.pick([0, 1, -1]);
        else if (typeof own[key] === 'string') own[key] = `${own[key]}${String(random.pick(values))}`;
        break;
      case 3:
        if (!Array.isArray(container))
          own[`${key}${random.pick(['', 's', '_', '\u0000'])}`] = structuredClone(random.pick(values));
        break;
      case 4:
        own[key] = nested(random.pick([3, 40, 70, 900]));
        break;
      default:
        own[key] = structuredClone(random.pick(values));
    }
  }
  return JSON.stringify(json);
}

interface Place {
  readonly container: object;
  readonly key: string;
}

/** Some of the places in a value, of every depth. */
function placesOf(json: unknown, random: Random): Place[] {
  const found: Place[] = [];
  const walk = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null || depth > 20) return;
    const keys = Object.keys(value);
    // Of a vocabulary a few entries stand for all.
    const some = keys.length > 40 ? Array.from({ length: 10 }, () => random.pick(keys)) : keys;
    for (const key of some) {
      found.push({ container: value, key });
      walk((value as Record<string, unknown>)[key], depth + 1);
    }
  };
  walk(json, 0);
  return found;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { a: value };
  return value;
}
