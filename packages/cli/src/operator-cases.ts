// Cases of single operators from a folder, for `transept conformance --cases`.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onnxCases } from '@transept/conformance';
import type { CaseSource, OutOfScope } from '@transept/conformance';
import { CommandError, fileProblem } from './errors.ts';
import { readJsonFile } from './files.ts';
import type { Terminal } from './terminal.ts';

/** The cases of all .json files of a folder, by name. */
export async function readOperatorCases(folder: string, terminal: Terminal): Promise<CaseSource> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new CommandError(`conformance: cannot read ${folder}: ${fileProblem(cause)}`, { cause });
  });
  const files = names.filter((name) => name.endsWith('.json')).sort();
  if (files.length === 0) throw new CommandError(`conformance: ${folder} has no .json files; expected operator cases`);
  const sources: CaseSource[] = [];
  for (const name of files) {
    terminal.signal.throwIfAborted();
    const path = join(folder, name);
    sources.push(source(await readJsonFile(path, terminal), path));
  }
  const outOfScope = new Map<string, OutOfScope>(sources.flatMap((s) => s.outOfScope).map((left) => [left.name, left]));
  return { cases: sources.flatMap((s) => s.cases), outOfScope: [...outOfScope.values()] };
}

function source(json: unknown, path: string): CaseSource {
  try {
    return onnxCases(json, path);
  } catch (cause) {
    throw new CommandError(`conformance: ${(cause as Error).message}`, { cause });
  }
}
