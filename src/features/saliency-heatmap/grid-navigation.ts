import type { Cell } from '../../stores/view-store.ts';

/** Where a key leads from a cell, as in any grid of the ARIA practices; null for keys that do not move. */
export function moveInGrid(
  { row, expert }: Cell,
  key: string,
  control: boolean,
  rows: number,
  expertsOf: (row: number) => number,
): Cell | null {
  const page = Math.max(1, Math.round(rows / 4));
  const to = (nextRow: number, nextExpert: number): Cell => {
    const inRow = Math.min(Math.max(nextRow, 0), rows - 1);
    return { row: inRow, expert: Math.min(Math.max(nextExpert, 0), expertsOf(inRow) - 1) };
  };
  switch (key) {
    case 'ArrowLeft':
      return to(row, expert - 1);
    case 'ArrowRight':
      return to(row, expert + 1);
    case 'ArrowUp':
      return to(row - 1, expert);
    case 'ArrowDown':
      return to(row + 1, expert);
    case 'Home':
      return to(control ? 0 : row, 0);
    case 'End':
      return to(control ? rows - 1 : row, Number.MAX_SAFE_INTEGER);
    case 'PageUp':
      return to(row - page, expert);
    case 'PageDown':
      return to(row + page, expert);
    default:
      return null;
  }
}
