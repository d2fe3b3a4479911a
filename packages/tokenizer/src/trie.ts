// A prefix tree over UTF-16 units. Walk it from node 0 with `step`; `idAt` says which token ends at a node.
import { PairTable } from './pair-table.ts';

export class Trie {
  readonly #edges = new PairTable();
  readonly #ids: number[] = [-1];

  /** Adds a token; of two equal ones the later id wins. */
  add(token: string, id: number): void {
    let node = 0;
    for (let i = 0; i < token.length; i++) {
      const next = this.#edges.add(node, token.charCodeAt(i), this.#ids.length);
      if (next === this.#ids.length) this.#ids.push(-1);
      node = next;
    }
    this.#ids[node] = id;
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
