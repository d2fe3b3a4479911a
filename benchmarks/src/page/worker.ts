// A runtime in a worker of the page. The first message says how it starts, all others are questions.
import type { Question } from '../peers/remote.ts';
import type { Runtime } from '../runtime.ts';
import { answerWith } from './questions.ts';

/** What the page tells its worker first. */
export interface Start {
  readonly threads: number;
  /** Where the folder of exports is served. */
  readonly models: string;
  /** Where the packages of the peers are served. */
  readonly packages: string;
  /** Where the onnxruntime of transformers.js is served. */
  readonly onnxruntime: string;
}

export function serve(start: (how: Start) => Promise<Pick<Runtime, 'task'>>): void {
  let answer: ReturnType<typeof answerWith> | undefined;
  onmessage = async ({ data }: MessageEvent<Start | Question>) => {
    if (answer) return postMessage(await answer(data as Question));
    try {
      answer = answerWith(await start(data as Start));
      postMessage({ ready: true });
    } catch (error) {
      postMessage({ error: String(error) });
    }
  };
}
