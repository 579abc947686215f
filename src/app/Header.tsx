import { useStore } from 'zustand';
import { setTheme, type Theme, viewStore } from '../stores/view-store.ts';
import { SegmentedControl } from '../ui/SegmentedControl.tsx';
import styles from './Header.module.css';
import { Mark } from './Mark.tsx';

const THEMES: readonly { readonly id: Theme; readonly label: string }[] = [
  { id: 'system', label: 'System' },
  { id: 'light', label: 'Light' },
  { id: 'dark', label: 'Dark' },
];

export function Header() {
  const theme = useStore(viewStore, (state) => state.theme);
  return (
    <header className={styles.header}>
      <p className={styles.brand}>
        <Mark />
        REAP Studio
      </p>
      <p className={styles.promise}>Your models and texts stay here</p>
      <SegmentedControl label="Theme" value={theme} choices={THEMES} onChange={setTheme} />
    </header>
  );
}
