// One backend's translation of one sentence, growing while it is made.
import type { Column } from '../state/column.ts';
import { backendTitles, count, milliseconds } from './format.ts';

interface Props {
  readonly column: Column;
  readonly index: number;
  /** A column to compare with. */
  readonly first: Column | undefined;
}

export function TranslationCell({ column, index, first }: Props) {
  const cell = column.cells.value[index]?.value;
  switch (cell?.kind) {
    case undefined:
      return <span class="quiet">–</span>;
    case 'waiting':
      return <span class="quiet">…</span>;
    case 'writing':
      return (
        <span lang="en" class="writing">
          {cell.text}
        </span>
      );
    case 'done': {
      const { text, targetIds, firstTokenMs, restMs } = cell.translation;
      const other = first?.translations.value.get(index);
      const differs = other !== undefined && other.targetIds.join() !== targetIds.join();
      return (
        <>
          <span lang="en">{text}</span>
          {differs && <span class="badge differs">differs from {backendTitles[first!.name]}</span>}
          <small>
            {count(targetIds.length - 1, 'token')} · {milliseconds(firstTokenMs + restMs)}
          </small>
        </>
      );
    }
    case 'failed':
      return (
        <span class="problem" role="alert">
          {cell.reason}
        </span>
      );
    case 'cancelled':
      return <span class="quiet">{cell.text} (cancelled)</span>;
    default:
      return cell satisfies never;
  }
}
