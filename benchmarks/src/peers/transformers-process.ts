// transformers.js on onnxruntime's native build, asked in lines of JSON as remote.ts says: transformers-process.ts FOLDER THREADS CLOCK.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { now, useClock } from '../measure.ts';
import type { Clock } from '../measure.ts';
import type { Prepared } from '../runtime.ts';
import { importPeer, peerVersion } from './installed.ts';
import { answerLines } from './lines.ts';
import type { Answer, Question } from './remote.ts';
import { fileOf, prepareTask } from './transformers-task.ts';
import type { Transformers } from './transformers-task.ts';

const [folder = '', threads = '1', clock = 'wall'] = process.argv.slice(2);
useClock(clock as Clock);
const T = await importPeer<Transformers>('@huggingface/transformers/dist/transformers.node.mjs');
Object.assign(T.env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: folder });

let prepared: Prepared | undefined;

async function answer(question: Question): Promise<Answer> {
  if ('prepare' in question) {
    const task = question.prepare;
    prepared = existsSync(join(folder, fileOf(task))) ? await prepareTask(T, task, 'cpu', Number(threads)) : undefined;
    return { ready: prepared !== undefined };
  }
  if ('run' in question) {
    const began = now(true);
    await prepared!.run();
    const ms = prepared!.measured?.() ?? now(true) - began;
    return { wallMs: ms, cpuMs: ms };
  }
  await prepared?.dispose?.();
  prepared = undefined;
  return {};
}

await answerLines(peerVersion('@huggingface/transformers'), answer);
