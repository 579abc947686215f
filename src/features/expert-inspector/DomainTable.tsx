import type { DomainIdentity } from '../../core/saliency/statistics-file.ts';
import { formatMeasure, formatPercent } from '../../ui/number-format.ts';
import styles from './ExpertInspector.module.css';
import type { DomainPart } from './expert-facts.ts';

interface DomainTableProps {
  readonly domains: readonly DomainIdentity[];
  readonly parts: readonly DomainPart[];
}

/** Which text an expert serves. */
export function DomainTable({ domains, parts }: DomainTableProps) {
  return (
    <table className={styles.domains}>
      <thead>
        <tr>
          <th scope="col">Domain</th>
          <th scope="col">Chosen by</th>
          <th scope="col">Gate × norm</th>
        </tr>
      </thead>
      <tbody>
        {domains.map(({ name }, index) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{formatPercent(parts[index]?.share ?? 0, 1)}</td>
            <td>{measureOrDash(parts[index]?.meanGateNorm ?? null)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function measureOrDash(value: number | null): string {
  return value === null ? '–' : formatMeasure(value);
}
