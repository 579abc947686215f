import { type OwnText, removeOwnText } from '../../stores/corpus-store.ts';
import { Button } from '../../ui/Button.tsx';
import { formatBytes } from '../../ui/number-format.ts';
import styles from './CorpusPanel.module.css';
import { countOf } from './preview-words.ts';
import { TextFacts } from './TextFacts.tsx';

/** A text of the person's own: its name, how much it is, and what was found in it. */
export function OwnTextRow({ text }: { readonly text: OwnText }) {
  const { name, size } = text;
  return (
    <li className={styles.ownText}>
      <div className={styles.ownRow}>
        <span className={styles.ownName} title={name}>
          {name}
        </span>
        <span className={styles.ownSize}>
          {text.text.kind === 'hub' ? `first ${countOf(size, 'row')}` : formatBytes(size)}
        </span>
        <Button look="quiet" aria-label={`Remove ${name}`} onClick={() => removeOwnText(name)}>
          Remove
        </Button>
      </div>
      {isTokenFile(text) ? null : <TextFacts text={text} />}
    </li>
  );
}

/** Ready token ids: there is no text to show. */
function isTokenFile({ text }: OwnText): boolean {
  return text.kind === 'file' && text.file.name.toLowerCase().endsWith('.json');
}
