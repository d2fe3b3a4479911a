// MB of long texts encoded in a second of CPU time, beside @huggingface/tokenizers (JavaScript) and tokenizers (Rust),
// interleaved in one process.
// Run: npm install --prefix PEERS @huggingface/tokenizers tokenizers
//      node --conditions=@transept/source bench/peers.ts PEERS TEXTS [rounds]      TEXTS is a folder of .txt files
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { Tokenizer } from '../src/index.ts';

interface Javascript {
  Tokenizer: new (json: unknown, config: unknown) => { encode(text: string): { ids: number[] } };
}
interface Rust {
  Tokenizer: { fromString(json: string): { encode(text: string): Promise<{ getIds(): number[] }> } };
}

const [peers = '', texts = '', rounds = '5'] = process.argv.slice(2);
const load = createRequire(join(resolve(peers), 'index.js'));
const javascript = load('@huggingface/tokenizers') as Javascript;
const rust = load('tokenizers') as Rust;
const names = ['gpt2', 'bert-base-uncased', 't5-small'];

/** Encodes the text `times` times and returns the seconds of all threads' CPU clocks for one. */
type Run = (text: string, times: number) => Promise<{ seconds: number; ids: readonly number[] }>;

async function timed(times: number, encode: () => Promise<readonly number[]> | readonly number[]): ReturnType<Run> {
  let ids: readonly number[] = [];
  const start = process.cpuUsage();
  for (let i = 0; i < times; i++) ids = await encode();
  const { user, system } = process.cpuUsage(start);
  return { seconds: (user + system) / 1e6 / times, ids };
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

console.log(
  `${cpus()[0]?.model}, Node ${process.version}, median MB in a second of CPU time of ${rounds} rounds (least to most)`,
);
console.log(
  'tokenizer          text          Transept                JavaScript              Rust                    × JS   × Rust  ids',
);
for (const name of names) {
  const json = readFileSync(new URL(`../fixtures/${name}/tokenizer.json`, import.meta.url), 'utf8');
  const runs: Run[] = [
    (
      (tokenizer) => (text, times) =>
        timed(times, () => tokenizer.encode(text).ids)
    )(await Tokenizer.fromJSON(json)),
    (
      (tokenizer) => (text, times) =>
        timed(times, () => tokenizer.encode(text).ids)
    )(new javascript.Tokenizer(JSON.parse(json), {})),
    (
      (tokenizer) => (text, times) =>
        timed(times, async () => (await tokenizer.encode(text)).getIds())
    )(rust.Tokenizer.fromString(json)),
  ];
  for (const file of readdirSync(texts).filter((each) => each.endsWith('.txt'))) {
    const text = readFileSync(join(texts, file), 'utf8');
    const megabytes = Buffer.byteLength(text) / 1e6;
    const times = Math.ceil(1 / megabytes);
    for (const run of runs) await run(text, 1);
    const speeds: number[][] = runs.map(() => []);
    let ids: (readonly number[])[] = [];
    for (let round = 0; round < Number(rounds); round++) {
      ids = [];
      for (const [i, run] of runs.entries()) {
        const result = await run(text, times);
        speeds[i]!.push(megabytes / result.seconds);
        ids.push(result.ids);
      }
    }
    const shown = speeds.map((list) =>
      `${middle(list).toFixed(2)} (${Math.min(...list).toFixed(2)}–${Math.max(...list).toFixed(2)})`.padEnd(23),
    );
    const [own, js, native] = speeds.map(middle) as [number, number, number];
    const same = ids.slice(1).map((list) => (JSON.stringify(list) === JSON.stringify(ids[0]) ? 'same' : 'OTHER'));
    console.log(
      `${name.padEnd(18)} ${file.padEnd(13)} ${shown.join(' ')} ${(own / js).toFixed(2).padEnd(6)} ${(own / native).toFixed(2).padEnd(7)} ${same.join(' ')}`,
    );
  }
}
