// The other side of `remote.ts`: a process that answers lines.
import { createInterface } from 'node:readline';
import type { Answer, Question } from './remote.ts';

const say = (what: Answer): boolean => process.stdout.write(`${JSON.stringify(what)}\n`);

/** Say that this process is ready, and answer until nobody asks any more. */
export async function answerLines(version: string, answer: (question: Question) => Promise<Answer>): Promise<void> {
  say({ ready: true, version });
  for await (const line of createInterface({ input: process.stdin }))
    try {
      say(await answer(JSON.parse(line) as Question));
    } catch (error) {
      say({ error: String(error) });
    }
}
