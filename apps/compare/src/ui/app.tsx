// The page from top to bottom.
import type { Comparison } from '../state/comparison.ts';
import { AgreementSection } from './agreement.tsx';
import { AttentionSection } from './attention.tsx';
import { Board } from './board.tsx';
import { Composer } from './composer.tsx';

export function App({ comparison, problems }: { comparison: Comparison; problems: readonly string[] }) {
  return (
    <>
      <header class="masthead">
        <img src="icon.svg" alt="" width="40" height="40" />
        <div>
          <h1>Transept</h1>
          <p>One Transformer graph, run on several backends side by side, with the proof of how far they agree.</p>
        </div>
      </header>
      <main>
        {problems.map((problem) => (
          <p class="notice problem" role="alert">
            {problem}
          </p>
        ))}
        <Composer comparison={comparison} />
        <Board comparison={comparison} />
        <AgreementSection comparison={comparison} />
        <AttentionSection comparison={comparison} />
      </main>
      <footer>
        <p>
          Everything on this page is computed in this browser. The default model translates everyday German into
          English; it was trained on sentence pairs from{' '}
          <a href="https://www.manythings.org/anki/">www.manythings.org/anki</a> and{' '}
          <a href="https://tatoeba.org">tatoeba.org</a>,{' '}
          <a href="https://creativecommons.org/licenses/by/2.0/">CC BY 2.0</a>. The shipped sentences are from{' '}
          <a href="https://tatoeba.org">tatoeba.org</a>,{' '}
          <a href="https://creativecommons.org/licenses/by/2.0/fr/">CC BY 2.0 FR</a>.
        </p>
      </footer>
    </>
  );
}
