import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useStore } from 'zustand';
import { toWireError } from '../../core/base/errors.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { previewOwnText } from '../../stores/corpus-actions.ts';
import { chooseColumn, type OwnText } from '../../stores/corpus-store.ts';
import { Notice } from '../../ui/Notice.tsx';
import { SelectField } from '../../ui/SelectField.tsx';
import styles from './CorpusPanel.module.css';
import { formWords } from './preview-words.ts';

/** What was found in a text and how it will be used, before it is: its column, its rows, and the first of them. */
export function TextFacts({ text }: { readonly text: OwnText }) {
  // A model that is still being opened may turn out to be none.
  const source = useStore(checkpointStore, (state) => (state.summary === null ? null : state.source));
  const { data, error } = useQuery({
    queryKey: ['text-preview', text.id, text.column ?? null, source?.id ?? null],
    queryFn: () => previewOwnText(text, source?.spec ?? null),
    // The list of columns keeps its place, and the focus, while another one is looked at.
    placeholderData: keepPreviousData,
  });
  if (error !== null) {
    const wire = toWireError(error);
    return <Notice tone="error" message={wire.message} nextStep={wire.nextStep} />;
  }
  if (data === undefined) return <p className={styles.note}>Looking into it…</p>;
  const { column, choices, samples, refusal } = data;
  const shown = column !== null && !choices.includes(column) ? [...choices, column] : choices;
  return (
    <div className={styles.facts}>
      {refusal === null ? <p className={styles.note}>Found: {formWords(data, source !== null)}.</p> : null}
      {shown.length === 0 || (shown.length === 1 && refusal === null) ? null : (
        <SelectField
          label="Column"
          value={column ?? ''}
          choices={[
            ...(column === null ? [{ id: '', label: 'Choose one' }] : []),
            ...shown.map((id) => ({ id, label: id.split('+').join(' + ') })),
          ]}
          onChange={(id) => chooseColumn(text.name, id === '' ? undefined : id)}
        />
      )}
      {shown.length === 1 && column !== null ? <p className={styles.note}>Column: {column}</p> : null}
      {refusal === null ? null : <Notice tone="error" message={refusal.message} nextStep={refusal.nextStep} />}
      {samples.length === 0 ? null : (
        <details className={styles.samples}>
          <summary>Show how it begins</summary>
          <ol aria-label={`Beginning of ${text.name}`}>
            {samples.map((sample, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: samples are replaced as a whole.
              <li key={index}>
                <pre>{sample}</pre>
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}
