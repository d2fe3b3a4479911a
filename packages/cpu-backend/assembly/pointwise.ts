// pointwise: one expression over all elements, split evenly between threads.
import { beginExpression, evaluate, expressionElements } from './expression';
import { pointerAt, shareStart } from './words';

const expressionWord = 0;
const scratchWord = 1;
const scratchBytesWord = 2;

export function pointwise(params: usize, thread: i32, threads: i32): void {
  const e = pointerAt(params, expressionWord);
  const scratch = pointerAt(params, scratchWord) + thread * pointerAt(params, scratchBytesWord);
  const total = expressionElements(e);
  const from = shareStart(total, thread, threads);
  beginExpression(e, scratch);
  evaluate(e, scratch, from, shareStart(total, thread + 1, threads) - from);
}
