// The verdict on every pair of backends, and the figures it comes from.
import { clearMargin } from '../state/agreement.ts';
import type { PairAgreement } from '../state/agreement.ts';
import type { Comparison } from '../state/comparison.ts';
import { backendTitles, count, percent, scientific } from './format.ts';

export function AgreementSection({ comparison }: { comparison: Comparison }) {
  const { agreement } = comparison;
  const state = agreement.value;
  return (
    <section class="agreement" aria-labelledby="agreement-title">
      <h2 id="agreement-title">Agreement</h2>
      <p class="lead">
        Forced decoding: the tokens that one backend chose are fed to all of them, and the logits of every position are
        compared, whatever each would have chosen by itself.
      </p>
      {state.kind === 'none' && <p class="quiet">Shown when the sentences are translated.</p>}
      {state.kind === 'comparing' && (
        <div class="panel" role="status">
          <p>
            Comparing logits: {state.done} of {count(state.total, 'sentence')}
          </p>
          <progress max={state.total} value={state.done} aria-label="Compared" />
        </div>
      )}
      {state.kind === 'missing' && <p class="notice">{state.reason}</p>}
      {state.kind === 'failed' && (
        <p class="notice problem" role="alert">
          {state.reason}
        </p>
      )}
      {state.kind === 'done' && state.pairs.map((pair) => <Pair key={pair.a + pair.b} pair={pair} />)}
    </section>
  );
}

function Pair({ pair }: { pair: PairAgreement }) {
  const { agree, bound, figures } = pair;
  const [a, b] = [backendTitles[pair.a], backendTitles[pair.b]];
  const { positions, top1, clearPositions, clearTop1, maxLogitDifference, meanKl } = figures;
  return (
    <article class={`panel verdict ${agree ? 'agree' : 'disagree'}`} aria-label={`${a} and ${b}`}>
      <header>
        <span class="mark" aria-hidden="true">
          {agree ? '✓' : '✗'}
        </span>
        <div role="status">
          <h3>
            {a} and {b} {agree ? 'agree' : 'disagree'}
          </h3>
          <p>{agree ? reasonsFor(pair) : reasonsAgainst(pair)}</p>
        </div>
      </header>
      <dl class="tiles">
        <div>
          <dt>Same best token</dt>
          <dd>
            {percent(top1)}
            <small>of {count(positions, 'position')}</small>
          </dd>
        </div>
        <div>
          <dt>Same where the choice is clear</dt>
          <dd>
            {percent(clearTop1)}
            <small>
              of {clearPositions}, where the two best logits are over {scientific(clearMargin)} apart
            </small>
          </dd>
        </div>
        <div>
          <dt>Largest |Δlogit|</dt>
          <dd>
            {scientific(maxLogitDifference)}
            <Ruler value={maxLogitDifference} bound={bound} />
          </dd>
        </div>
        <div>
          <dt>Mean KL divergence</dt>
          <dd>
            {scientific(meanKl)}
            <small>nats, of the distributions over the vocabulary</small>
          </dd>
        </div>
      </dl>
    </article>
  );
}

function reasonsFor({ figures: { positions, top1, maxLogitDifference }, bound }: PairAgreement): string {
  const choices = top1 === 1 ? `at all ${positions} positions` : 'wherever the choice is clear';
  return `Given the same tokens, both choose the same next one ${choices}, and no logit is further apart than ${scientific(maxLogitDifference)}; ${scientific(bound)} would be allowed.`;
}

function reasonsAgainst({ figures, bound }: PairAgreement): string {
  const { clearPositions, clearTop1, maxLogitDifference } = figures;
  const different = Math.round((1 - clearTop1) * clearPositions);
  const reasons = [
    ...(different > 0 ? [`they choose differently at ${count(different, 'position')} where the choice is clear`] : []),
    ...(maxLogitDifference <= bound
      ? []
      : [`a logit is ${scientific(maxLogitDifference)} apart, and ${scientific(bound)} is allowed`]),
  ];
  return `Given the same tokens, ${reasons.join(', and ')}.`;
}

/** Where a difference lies on a logarithmic scale from 10⁻⁸ to 1, and where its bound. */
function Ruler({ value, bound }: { value: number; bound: number }) {
  const at = (x: number): string => `${100 * Math.min(1, Math.max(0, (Math.log10(Math.max(x, 1e-12)) + 8) / 8))}%`;
  return (
    <>
      <span class="ruler" aria-hidden="true">
        <span class="filled" style={{ width: at(value) }} />
        <span class="bound" style={{ left: at(bound) }} />
      </span>
      <small>allowed: {scientific(bound)}</small>
    </>
  );
}
