// What each token of a translation looked at in its source: cross-attention of the chosen sentence, by backend, layer and head.
import { useSignal } from '@preact/signals';
import type { BackendName } from '../protocol.ts';
import { chosenWeights, largestDifference } from '../state/attention.ts';
import type { AttentionMap, Comparison } from '../state/comparison.ts';
import { Choice } from './choice.tsx';
import { backendTitles, scientific } from './format.ts';
import { HeatMap } from './heat-map.tsx';

export function AttentionSection({ comparison }: { comparison: Comparison }) {
  const state = comparison.attention.value;
  return (
    <section class="attention" aria-labelledby="attention-title">
      <h2 id="attention-title">Cross-attention</h2>
      <p class="lead">How much of each source token went into each token of the translation. Every row adds up to 1.</p>
      {state.kind === 'none' && <p class="quiet">Shown when the sentence is translated.</p>}
      {state.kind === 'computing' && (
        <p class="quiet" role="status">
          Computing …
        </p>
      )}
      {state.kind === 'failed' && (
        <p class="notice problem" role="alert">
          {state.reason}
        </p>
      )}
      {state.kind === 'done' && <Explorer maps={state.maps} />}
    </section>
  );
}

function Explorer({ maps }: { maps: readonly AttentionMap[] }) {
  const backend = useSignal<BackendName>(maps[0]!.name);
  const layer = useSignal<number | undefined>(undefined);
  const head = useSignal<number | undefined>(undefined);
  const shown = maps.find(({ name }) => name === backend.value) ?? maps[0]!;
  const { attention, translation, name } = shown;
  const weights = chosenWeights(attention, { layer: layer.value, head: head.value });
  const full = weights.reduce((a, b) => Math.max(a, b), Number.MIN_VALUE);
  const numbered = (n: number) => [
    { value: undefined, label: 'mean' },
    ...Array.from({ length: n }, (_, i) => ({ value: i, label: String(i + 1) })),
  ];
  return (
    <div class={`panel explorer ${name}`}>
      <div class="choices">
        <Choice
          name="Backend"
          options={maps.map((map) => ({ value: map.name, label: backendTitles[map.name] }))}
          chosen={name}
          onChoose={(value) => (backend.value = value)}
        />
        <Choice
          name="Layer"
          options={numbered(attention.layers)}
          chosen={layer.value}
          onChoose={(l) => (layer.value = l)}
        />
        <Choice
          name="Head"
          options={numbered(attention.heads)}
          chosen={head.value}
          onChoose={(h) => (head.value = h)}
        />
        <Scale full={full} />
        <Difference maps={maps} shown={shown} />
      </div>
      <HeatMap
        rows={translation.targetTokens}
        columns={translation.sourceTokens}
        weights={weights}
        full={full}
        caption={`Cross-attention on ${backendTitles[name]}: ${describe('layer', layer.value)}, ${describe('head', head.value)}`}
      />
    </div>
  );
}

const describe = (what: string, chosen: number | undefined): string =>
  chosen === undefined ? `mean of all ${what}s` : `${what} ${chosen + 1}`;

/** What the colours mean: the largest weight shown has the full one. */
function Scale({ full }: { full: number }) {
  return (
    <div class="scale">
      <span>0</span>
      <span class="ramp" />
      <span>{full.toFixed(2)}</span>
    </div>
  );
}

/** How far the weights are from those of the other backends, where these translated alike. */
function Difference({ maps, shown }: { maps: readonly AttentionMap[]; shown: AttentionMap }) {
  const others = maps.filter(
    (map) => map !== shown && map.translation.targetIds.join() === shown.translation.targetIds.join(),
  );
  if (others.length === 0) return null;
  return (
    <p class="quiet">
      {others.map((other) => (
        <span key={other.name}>
          Largest difference of a weight from {backendTitles[other.name]}, over all layers and heads:{' '}
          <strong>{scientific(largestDifference(shown.attention, other.attention))}</strong>
        </span>
      ))}
    </p>
  );
}
