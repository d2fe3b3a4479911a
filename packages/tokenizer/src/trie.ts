// A prefix tree over UTF-16 units. Walk it from node 0 with `step`; `idAt` says which token ends at a node.
import { PairTable } from './pair-table.ts';

export class Trie {
  readonly #edges = new PairTable();
  readonly #ids: number[] = [-1];

  /** Adds a token; of two equal ones the later id wins. */
  add(token: string, id: number): void {
    let node = 0;
    for (let i = 0; i < token.length; i++) {
      const unit = token.charCodeAt(i);
      let next = this.#edges.get(node, unit);
      if (next < 0) {
        next = this.#ids.push(-1) - 1;
        this.#edges.set(node, unit, next);
      }
      node = next;
    }
    this.#ids[node] = id;
  }

  /** Where the longest token that begins at `start` ends; `start` when there is none. */
  longest(text: string, start: number): number {
    let end = start;
    for (let node = 0, i = start; i < text.length;) {
      node = this.#edges.get(node, text.charCodeAt(i++));
      if (node < 0) break;
      if (this.#ids[node]! >= 0) end = i;
    }
    return end;
  }

  /** The node after `unit`, or -1 when no token goes on so. */
  step(node: number, unit: number): number {
    return this.#edges.get(node, unit);
  }

  /** The token that ends here, or -1. */
  idAt(node: number): number {
    return this.#ids[node]!;
  }
}
