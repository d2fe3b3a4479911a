// Answers the questions of `peers/remote.ts` with a runtime: what a page or its worker does with what it is asked.
import type { Answer, Question } from '../peers/remote.ts';
import type { Prepared, Runtime } from '../runtime.ts';

export function answerWith({ task }: Pick<Runtime, 'task'>): (question: Question) => Promise<Answer> {
  let prepared: Prepared | undefined;
  return async (question) => {
    try {
      if ('prepare' in question) {
        prepared = await task?.(question.prepare);
        return { ready: prepared !== undefined };
      }
      if ('run' in question) {
        const began = performance.now();
        await prepared!.run();
        return { wallMs: prepared!.measured?.() ?? performance.now() - began };
      }
      await prepared?.dispose?.();
      prepared = undefined;
      return {};
    } catch (error) {
      return { error: String(error) };
    }
  };
}
