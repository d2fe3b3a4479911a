// What is translated, on which backends, and the buttons that start and stop it.
import type { ModelSource } from '../protocol.ts';
import type { Comparison } from '../state/comparison.ts';
import { linesOf, shippedSentences } from '../state/sentences.ts';
import { backendTitles, count } from './format.ts';

const shipped = shippedSentences.join('\n');

export function Composer({ comparison }: { comparison: Comparison }) {
  const { model, text, phase, loading, canTranslate, columns, turns } = comparison;
  const busy = phase.value !== 'idle';
  const submit = (event: Event): void => {
    event.preventDefault();
    if (canTranslate.value) void comparison.translate();
  };
  return (
    <form class="composer panel" onSubmit={submit}>
      <div class="composer-text">
        <label for="source">
          German, one sentence a line <span class="quiet">{count(linesOf(text.value).length, 'sentence')}</span>
        </label>
        <textarea
          id="source"
          lang="de"
          rows={6}
          spellcheck={false}
          value={text.value}
          onInput={({ currentTarget }) => (text.value = currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
          }}
        />
      </div>
      <div class="composer-controls">
        <fieldset>
          <legend>Backends</legend>
          {columns.map((column) => (
            <label class={`toggle ${column.name}`}>
              <input
                type="checkbox"
                checked={column.status.value.kind !== 'off'}
                disabled={busy}
                onChange={({ currentTarget }) => (currentTarget.checked ? void column.start() : column.stop())}
              />
              {backendTitles[column.name]}
            </label>
          ))}
        </fieldset>
        <label class="model">
          <span>
            Model <small>{nameOf(model.value)}; another: a .gguf file, or the files of a folder</small>
          </span>
          <input
            type="file"
            multiple
            disabled={busy}
            onChange={({ currentTarget: { files } }) => files?.length && void comparison.open([...files])}
          />
        </label>
        <label class="option">
          <input
            type="checkbox"
            checked={turns.value}
            disabled={busy}
            onChange={({ currentTarget }) => (turns.value = currentTarget.checked)}
          />
          <span>
            Take turns <small>one backend at a time, so that none disturbs the timing of another</small>
          </span>
        </label>
        <div class="buttons">
          <button class="primary" type="submit" disabled={!canTranslate.value}>
            Translate <kbd>Ctrl ⏎</kbd>
          </button>
          <button type="button" disabled={!busy && !loading.value} onClick={() => comparison.cancel()}>
            Cancel
          </button>
          <button type="button" disabled={text.value === shipped} onClick={() => (text.value = shipped)}>
            Shipped sentences
          </button>
        </div>
      </div>
    </form>
  );
}

/** What to call a model in a few words. */
function nameOf(model: ModelSource): string {
  if (typeof model === 'string') return decodeURIComponent(model.slice(model.lastIndexOf('/') + 1));
  return model.length === 1 ? model[0]!.name : count(model.length, 'file');
}
