// A matrix of weights as a table: one row a target token, one column a source token. Arrow keys walk over the cells, and the cell
// under the pointer or with the focus is read out in words.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { tokenLabels } from './tokens.ts';
import type { TokenLabel } from './tokens.ts';

interface Props {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** [rows, columns], row-major. */
  readonly weights: Float32Array;
  /** The weight that gets the full colour. */
  readonly full: number;
  readonly caption: string;
}

interface Place {
  readonly row: number;
  readonly column: number;
}

const steps: Readonly<Record<string, readonly [rows: number, columns: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export function HeatMap({ rows, columns, weights, full, caption }: Props) {
  const [targets, sources] = [tokenLabels(rows), tokenLabels(columns)];
  const table = useRef<HTMLTableElement>(null);
  const pointed = useSignal<Place | undefined>(undefined);
  const focused = useSignal<Place>({ row: 0, column: 0 });
  const weight = ({ row, column }: Place): number => weights[row * columns.length + column]!;
  const within = ({ row, column }: Place): boolean => row < rows.length && column < columns.length;
  const tabStop = within(focused.value) ? focused.value : { row: 0, column: 0 };
  const shown = pointed.value && within(pointed.value) ? pointed.value : undefined;

  const placeOf = (target: EventTarget | null): Place | undefined => {
    const cell = (target as Element | null)?.closest<HTMLElement>('td[data-row]');
    return cell ? { row: Number(cell.dataset['row']), column: Number(cell.dataset['column']) } : undefined;
  };
  const walk = (event: KeyboardEvent): void => {
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const clamp = (x: number, count: number): number => Math.min(count - 1, Math.max(0, x));
    const row = clamp(tabStop.row + step[0], rows.length);
    const column = clamp(tabStop.column + step[1], columns.length);
    table.current?.querySelector<HTMLElement>(`td[data-row="${row}"][data-column="${column}"]`)?.focus();
  };

  return (
    <figure class="heat-map">
      <div class="heat-map-scroll" style={{ '--columns': columns.length }}>
        <table
          ref={table}
          role="grid"
          aria-label={caption}
          onKeyDown={walk}
          onPointerOver={({ target }) => (pointed.value = placeOf(target))}
          onPointerLeave={() => (pointed.value = undefined)}
          onFocusIn={({ target }) => {
            const place = placeOf(target);
            if (place) pointed.value = focused.value = place;
          }}
          onFocusOut={() => (pointed.value = undefined)}
        >
          <thead>
            <tr>
              <td />
              {sources.map((token, column) => (
                <th scope="col" key={column} class={shown?.column === column ? 'lit' : ''}>
                  <span>
                    <Token {...token} />
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {targets.map((target, row) => (
              <tr key={row}>
                <th scope="row" class={shown?.row === row ? 'lit' : ''}>
                  <Token {...target} />
                </th>
                {sources.map((source, column) => (
                  <td
                    key={column}
                    data-row={row}
                    data-column={column}
                    tabIndex={tabStop.row === row && tabStop.column === column ? 0 : -1}
                    aria-label={`${target.text} from ${source.text}: ${weight({ row, column }).toFixed(2)}`}
                    style={{ '--weight': (weight({ row, column }) / full).toFixed(3) }}
                  />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <figcaption>
        {shown ? (
          <>
            <b>{targets[shown.row]!.text}</b> took <b>{(100 * weight(shown)).toFixed(1)} %</b> from{' '}
            <b lang="de">{sources[shown.column]!.text}</b>
          </>
        ) : (
          'Point at a cell, or walk over them with the arrow keys.'
        )}
      </figcaption>
    </figure>
  );
}

function Token({ text, continues }: TokenLabel) {
  return (
    <>
      {continues && <i>·</i>}
      {text}
    </>
  );
}
