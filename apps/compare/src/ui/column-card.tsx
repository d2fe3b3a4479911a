// The head of a backend's column: whether it is there, what it runs on, and its figures.
import type { ComponentChildren } from 'preact';
import type { OpenedModel } from '../protocol.ts';
import type { Column, Status } from '../state/column.ts';
import { replacing } from '../state/losses.ts';
import { DeviceNote } from './device-note.tsx';
import { backendTitles, megabytes, milliseconds, rate } from './format.ts';

export function ColumnCard({ column }: { column: Column }) {
  const status = column.status.value;
  const busy = status.kind === 'ready' && replacing(column.losses.value);
  return (
    <article class={`card panel ${column.name}`} aria-label={backendTitles[column.name]}>
      <header>
        <h3>{backendTitles[column.name]}</h3>
        <span class={`state ${busy ? 'replacing' : status.kind}`}>{busy ? 'replacing' : stateNames[status.kind]}</span>
      </header>
      <Body column={column} status={status} />
    </article>
  );
}

const stateNames: Readonly<Record<Status['kind'], string>> = {
  off: 'off',
  loading: 'loading',
  ready: 'ready',
  unavailable: 'not available',
  failed: 'failed',
  cancelled: 'cancelled',
};

function Body({ column, status }: { column: Column; status: Status }) {
  const again = (
    <button type="button" onClick={() => void column.start()}>
      Load again
    </button>
  );
  switch (status.kind) {
    case 'off':
      return null;
    case 'loading': {
      const { bytes, totalBytes } = status.download;
      return (
        <div class="loading">
          <progress {...(totalBytes > 0 && { value: bytes, max: totalBytes })} aria-label="Loading the model" />
          <p>{totalBytes > 0 ? `${megabytes(bytes)} of ${megabytes(totalBytes)}` : 'starting the worker'}</p>
        </div>
      );
    }
    case 'ready':
      return <Ready column={column} model={status.model} />;
    case 'unavailable':
      return (
        <>
          <p class="notice">{status.reason}</p>
          {again}
        </>
      );
    case 'failed':
      return (
        <>
          <p class="notice problem" role="alert">
            {status.reason}
          </p>
          {again}
        </>
      );
    case 'cancelled':
      return (
        <>
          <p class="notice">The loading was cancelled.</p>
          {again}
        </>
      );
    default:
      return status satisfies never;
  }
}

function Ready({ column, model }: { column: Column; model: OpenedModel }) {
  const figures = column.figures.value;
  const { bytes, peak } = model.memory;
  const notes = Object.entries(model.details).filter(([name]) => name.startsWith('why '));
  return (
    <>
      <div class="device">
        <p>{describeDevice(model.details)}</p>
        <DeviceNote losses={column.losses.value} />
      </div>
      {notes.map(([name, why]) => (
        <p class="notice" key={name}>
          {name.replace('why ', '')}: {String(why)}
        </p>
      ))}
      <p class="headline">
        <strong>{figures ? rate(figures.tokensPerSecond) : '–'}</strong> tokens per second
      </p>
      <dl class="figures">
        <Figure name="Load" hint="start the backend, fetch the model, put it on the device">
          {milliseconds(model.backendMs + model.modelMs)}
        </Figure>
        <Figure
          name="First token"
          hint="median over the sentences; below, the first sentence, which makes its programs"
        >
          {figures ? milliseconds(figures.laterFirstMs ?? figures.firstMs) : '–'}
          {figures?.laterFirstMs !== undefined && <small>first sentence {milliseconds(figures.firstMs)}</small>}
        </Figure>
        <Figure name="Peak memory" hint="device memory that the backend holds, and the most there ever was">
          {megabytes(peak)}
          <small>now {megabytes(bytes)}</small>
        </Figure>
        <Figure name="Kernels per token" hint="kernel calls or dispatches started for one further token">
          {figures ? String(figures.kernelCalls) : '–'}
          {figures && <small>{figures.tokens} tokens so far</small>}
        </Figure>
      </dl>
      <details>
        <summary>About this backend</summary>
        <dl class="about">
          {Object.entries(model.details).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value) || '–'}</dd>
            </div>
          ))}
          <div>
            <dt>model</dt>
            <dd>{model.modelType}</dd>
          </div>
        </dl>
      </details>
    </>
  );
}

function Figure({ name, hint, children }: { name: string; hint: string; children: ComponentChildren }) {
  return (
    <div title={hint}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** One line that tells this device from others. */
function describeDevice(details: OpenedModel['details']): string {
  const { adapter, architecture, vendor, simd, threads, engine } = details;
  const gpu = adapter || [vendor, architecture].filter(Boolean).join(' ');
  if (gpu) return String(gpu);
  const workers = threads === undefined ? '' : `${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return [simd ? `WebAssembly, ${simd}` : engine, workers].filter(Boolean).join(', ');
}
