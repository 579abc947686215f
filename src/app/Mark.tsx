import styles from './Header.module.css';

/** Nine experts, two of them cut. */
const CELLS = [
  ['#00336f', 0, 0],
  ['#575d6d', 1, 0],
  ['#c4b56c', 2, 0],
  ['#7c7b78', 0, 1],
  ['#ffe945', 1, 1],
  ['#a69d75', 2, 1],
  ['#e1cc55', 0, 2],
  ['#00336f', 1, 2],
  ['#7c7b78', 2, 2],
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
