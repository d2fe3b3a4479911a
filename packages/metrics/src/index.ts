export { corpusBleu, type BleuScore } from './bleu.ts';
export { corpusChrf } from './chrf.ts';
export { tokenize13a } from './tokenize13a.ts';
