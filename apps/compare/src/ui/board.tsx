// One column for each backend: first what it is and how fast, below it the translations, in line with their sentences.
import type { Column } from '../state/column.ts';
import type { Comparison } from '../state/comparison.ts';
import { ColumnCard } from './column-card.tsx';
import { backendTitles, count } from './format.ts';
import { TranslationCell } from './translation-cell.tsx';

export function Board({ comparison }: { comparison: Comparison }) {
  const { shown, sentences, chosen } = comparison;
  const columns = shown.value;
  return (
    <section class="board" style={{ '--count': columns.length }} aria-label="Translations">
      <div class="board-row cards">
        <Progress comparison={comparison} />
        {columns.map((column) => (
          <ColumnCard key={column.name} column={column} />
        ))}
        {columns.length === 0 && <p class="notice">Switch a backend on to translate with it.</p>}
      </div>
      {columns.length > 0 && sentences.value.length > 0 && (
        <table class="translations panel" role="table">
          <caption class="visually-hidden">Each sentence and its translation by each backend</caption>
          <thead class="visually-hidden" role="rowgroup">
            <tr role="row">
              <th scope="col" role="columnheader">
                Sentence
              </th>
              {columns.map(({ name }) => (
                <th scope="col" role="columnheader" key={name}>
                  {backendTitles[name]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {sentences.value.map((sentence, i) => (
              <tr key={i} role="row" class={`board-row ${chosen.value === i ? 'chosen' : ''}`}>
                <th scope="row" role="rowheader">
                  <label>
                    <input
                      type="radio"
                      name="sentence"
                      checked={chosen.value === i}
                      onChange={() => void comparison.choose(i)}
                    />
                    <span lang="de">{sentence}</span>
                  </label>
                </th>
                {columns.map((column) => (
                  <td key={column.name} role="cell" class={column.name} data-backend={backendTitles[column.name]}>
                    <TranslationCell column={column} index={i} first={firstOther(columns, column)} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** The column that others are compared with, for all but itself. */
const firstOther = ([first]: readonly Column[], column: Column): Column | undefined =>
  first === column ? undefined : first;

function Progress({ comparison }: { comparison: Comparison }) {
  const { phase, shown, sentences, agreement } = comparison;
  const total = sentences.value.length;
  const done = shown.value.map(({ translations }) => translations.value.size);
  const state = agreement.value;
  return (
    <div class="progress" role="status">
      <h2>Translations</h2>
      {phase.value === 'translating' && (
        <>
          <p>
            {shown.value.map(({ name }, i) => `${backendTitles[name]} ${done[i]}`).join(', ')} of {total}
          </p>
          <progress max={total * done.length} value={done.reduce((a, b) => a + b, 0)} aria-label="Translated" />
        </>
      )}
      {phase.value !== 'translating' && state.kind === 'done' && (
        <p>
          <strong>
            {state.texts.same} of {count(state.texts.total, 'sentence')}
          </strong>{' '}
          came out the same on every backend.
        </p>
      )}
      <p class="quiet">Choose a sentence to see what each word of its translation looked at.</p>
    </div>
  );
}
