// The other side of `twin.ts`.
import { parentPort, workerData } from 'node:worker_threads';
import type { Prepared } from '../runtime.ts';
import { cases } from '../sweep.ts';
import { transept } from '../transept.ts';
import { askedWord } from './twin.ts';
import type { TwinData, TwinMessage } from './twin.ts';

const { asked } = workerData as TwinData;
const runtime = await transept(1);
let prepared: Prepared | undefined;

async function answer(message: TwinMessage): Promise<void> {
  if ('prepare' in message) {
    prepared = await cases.find(({ name }) => name === message.prepare)!.prepare(runtime);
    await prepared!.run();
  } else if ('work' in message) {
    parentPort!.postMessage('working');
    while (Atomics.load(asked, askedWord) === 1) await prepared!.run();
  } else await prepared!.dispose?.();
}

parentPort!.on('message', (message: TwinMessage) =>
  answer(message).then(
    () => parentPort!.postMessage('done'),
    (error: unknown) => parentPort!.postMessage(String(error)),
  ),
);
