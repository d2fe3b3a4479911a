// A pre-tokenizer is a list of stages: each rewrites every piece of the text, or cuts it into smaller ones.
import type { Edit } from '../text.ts';

/** A cut gives first and past-the-end units of what is kept, in one list; empty pieces are passed over. */
export type Stage = { readonly edit: Edit } | { readonly cut: (text: string) => number[] };
