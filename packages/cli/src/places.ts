// What comes with the program. Seen from src/ and, in the bundle, from dist/.
import { join } from 'node:path';

/** In a checkout of the repository; not part of the published package. */
export const defaultModel = join(import.meta.dirname, '..', '..', '..', 'models', 'marian-de-en');

export const demoSentences = join(import.meta.dirname, '..', 'demo', 'sentences.de.txt');

/** In a checkout of the repository. */
export const fixtures = join(import.meta.dirname, '..', '..', '..', 'fixtures');
