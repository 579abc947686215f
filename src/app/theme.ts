import { viewStore } from '../stores/view-store.ts';

/** Tells the style sheets the chosen theme: `data-theme` on the root, absent for the system's. */
export function followTheme(): void {
  const apply = () => {
    const { theme } = viewStore.getState();
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  apply();
  viewStore.subscribe(apply);
}
