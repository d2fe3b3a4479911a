// Helper threads. Each instantiates the module over the shared memory, enters `work` and stays in there: between runs it waits
// in WebAssembly. The source of a worker is a few inline lines, so that bundlers have nothing to find.
import { BackendError } from '@transept/tensor';

export interface Helpers {
  readonly count: number;
  /** May the creating thread sleep in `Atomics.wait`? The main thread of a page may not. */
  readonly mainMaySleep: boolean;
  /** Resolves when a helper has failed. */
  readonly failed: Promise<Error>;
  dispose(): void;
}

/** Words of `assembly/threads.ts`: those that threads wait on, how many sleep between runs, and how many look at a program. */
const doneWord = 128 / 4;
const failedWord = 256 / 4;
const generationWord = 320 / 4;
const sleepersWord = 384 / 4;
const insideWord = 512 / 4;

/** Runs in the worker: `start` with what was posted, `post` to answer. */
const workerBody = `
  const enter = ({ module, memory, thread }, post) => {
    const words = new Int32Array(memory.buffer);
    try {
      const { exports } = new WebAssembly.Instance(module, { env: { memory } });
      exports.setMaySleep(true);
      post({ ready: true });
      // Not at once: the message has to leave this thread first.
      setTimeout(() => {
        try { exports.work(thread); } catch (error) { fail(words, error, post); }
      });
    } catch (error) { fail(words, error, post); }
  };
  const fail = (words, error, post) => {
    Atomics.store(words, ${failedWord}, 1);
    for (const word of [${generationWord}, ${doneWord}]) {
      Atomics.add(words, word, 1);
      Atomics.notify(words, word);
    }
    post({ error: String(error) });
  };
`;

interface Message {
  readonly ready?: true;
  readonly error?: string;
}

interface StartedWorker {
  postMessage(value: unknown): void;
  terminate(): unknown;
}

type Listener = (message: Message) => void;

interface NodeWorker extends StartedWorker {
  on(event: 'message', listener: Listener): void;
  on(event: 'error', listener: (error: Error) => void): void;
  unref(): void;
}

interface NodeThreads {
  readonly Worker: new (code: string, options: { eval: true; execArgv: string[]; env: object }) => NodeWorker;
}

interface NodeProcess {
  readonly versions?: { readonly node?: string };
  getBuiltinModule?(name: 'node:worker_threads'): NodeThreads;
}

const nodeThreads = (): NodeThreads | undefined =>
  (globalThis as { process?: NodeProcess }).process?.getBuiltinModule?.('node:worker_threads');

/** Why helper threads are impossible here, or undefined where they are possible. */
export function threadsObstacle(): string | undefined {
  if (typeof SharedArrayBuffer === 'undefined') return 'no SharedArrayBuffer: the page is not cross-origin isolated';
  if (!nodeThreads() && typeof Worker === 'undefined') return 'no Worker in this context';
  return undefined;
}

export const hardwareThreads = (): number => globalThis.navigator?.hardwareConcurrency ?? 1;

function startInNode(node: NodeThreads, listen: Listener): StartedWorker {
  const code = `const { parentPort } = require('node:worker_threads'); ${workerBody}
    parentPort.once('message', (data) => enter(data, (m) => parentPort.postMessage(m)));`;
  const worker = new node.Worker(code, { eval: true, execArgv: [], env: {} });
  worker.on('message', (message) => {
    // From now on it does not keep the process alive.
    worker.unref();
    listen(message);
  });
  worker.on('error', (error) => listen({ error: String(error) }));
  return worker;
}

function startInPage(listen: Listener): StartedWorker {
  const code = `${workerBody} onmessage = ({ data }) => enter(data, (m) => postMessage(m));`;
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  const worker = startWorker(url);
  worker.onmessage = ({ data: message }) => listen(message as Message);
  // A policy of the page that forbids the worker shows as an event without a message.
  worker.onerror = (event) =>
    listen({ error: event.message || 'it did not start; a Content-Security-Policy must allow worker-src blob:' });
  return {
    postMessage: (data) => worker.postMessage(data),
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

function startWorker(url: string): InstanceType<typeof globalThis.Worker> {
  try {
    return new Worker(url);
  } catch (error) {
    URL.revokeObjectURL(url);
    throw error;
  }
}

/** May this thread call `Atomics.wait`? */
function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
    return true;
  } catch {
    return false;
  }
}

/** What helpers run: the module that everybody runs, over the memory that everybody shares. */
export interface Shared {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

/** Start `count` helpers, while what they will run is still on its way, and wait until each of them is in its loop. */
export async function createHelpers(shared: Promise<Shared>, count: number): Promise<Helpers> {
  const node = nodeThreads();
  const workers: StartedWorker[] = [];
  const dispose = (): void => workers.forEach((worker) => void worker.terminate());
  let report: (error: Error) => void = () => {};
  const failed = new Promise<Error>((resolve) => (report = resolve));
  const start = (thread: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const fail = (error: string, cause?: unknown): void => {
        const failure = new BackendError(`cpu: thread ${thread} failed: ${error}`, { cause });
        reject(failure);
        report(failure);
      };
      const listen: Listener = ({ ready, error }) => (ready ? resolve() : fail(error ?? 'unknown error'));
      try {
        const worker = node ? startInNode(node, listen) : startInPage(listen);
        workers.push(worker);
        shared.then((data) => worker.postMessage({ ...data, thread }), reject);
      } catch (error) {
        fail((error as Error).message, error);
      }
    });
  try {
    await Promise.all(Array.from({ length: count }, (_, i) => start(i + 1)));
  } catch (error) {
    dispose();
    throw error;
  }
  return { count, mainMaySleep: maySleep(), failed, dispose };
}

/** Release every thread from waiting for others, after the calling thread has failed. */
export function releaseAll(memory: WebAssembly.Memory): void {
  const words = new Int32Array(memory.buffer);
  Atomics.store(words, failedWord, 1);
  for (const word of [generationWord, doneWord]) {
    Atomics.add(words, word, 1);
    Atomics.notify(words, word);
  }
}

/** Has a thread failed since the start? */
export const anyFailed = (words: Int32Array): boolean => Atomics.load(words, failedWord) !== 0;

/** How many helpers sleep until the next run. */
export const sleepingHelpers = (words: Int32Array): number => Atomics.load(words, sleepersWord);

/** Wait until no helper looks at a program. They wait for nothing in there once a run is over, so this is soon. */
export function settle(words: Int32Array): void {
  while (Atomics.load(words, insideWord) !== 0 && !anyFailed(words));
}
