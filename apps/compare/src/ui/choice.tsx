// One of a few, as a row of radio buttons.
import { useId } from 'preact/hooks';

interface Props<T> {
  readonly name: string;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly chosen: T;
  readonly onChoose: (value: T) => void;
}

export function Choice<T>({ name, options, chosen, onChoose }: Props<T>) {
  const group = useId();
  return (
    <fieldset class="choice">
      <legend>{name}</legend>
      <div>
        {options.map(({ value, label }) => (
          <label key={label}>
            <input type="radio" name={group} checked={value === chosen} onChange={() => onChoose(value)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
