import styles from './Header.module.css';

/** Nine experts. */
const CELLS = [
  ['#440154', 0, 0],
  ['#3b528b', 1, 0],
  ['#5ec962', 2, 0],
  ['#21918c', 0, 1],
  ['#fde725', 1, 1],
  ['#2c728e', 2, 1],
  ['#addc30', 0, 2],
  ['#440154', 1, 2],
  ['#21918c', 2, 2],
] as const;

export function Mark() {
  return (
    <svg className={styles.mark} viewBox="0 0 20 20" width="20" height="20" aria-hidden>
      {CELLS.map(([colour, column, row]) => (
        <rect key={`${column}-${row}`} x={column * 7} y={row * 7} width="6" height="6" rx="1" fill={colour} />
      ))}
    </svg>
  );
}
