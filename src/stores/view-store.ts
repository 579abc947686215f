import { createStore } from 'zustand/vanilla';

const THEME_KEY = 'reap-studio.theme';

export type Theme = 'system' | 'light' | 'dark';

/** What the colours of the map compare: experts of one layer, of all layers, or their ranks in the layer. */
export type ColourMode = 'layer' | 'model' | 'rank';

/** A cell of the map: row among the layers with experts, expert. */
export interface Cell {
  readonly row: number;
  readonly expert: number;
}

interface ViewState {
  readonly theme: Theme;
  readonly colourMode: ColourMode;
  /** The cell whose figures the inspector shows and the arrow keys move. */
  readonly active: Cell;
}

export const viewStore = createStore<ViewState>(() => ({
  theme: storedTheme(),
  colourMode: 'layer',
  active: { row: 0, expert: 0 },
}));

export function setTheme(theme: Theme): void {
  viewStore.setState({ theme });
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
}

function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(THEME_KEY);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system';
  }
}
