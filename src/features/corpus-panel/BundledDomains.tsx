import { useQuery } from '@tanstack/react-query';
import { useStore } from 'zustand';
import { loadDemoManifest } from '../../client/demo-manifest.ts';
import { toWireError } from '../../core/base/errors.ts';
import { corpusStore, setBundled } from '../../stores/corpus-store.ts';
import { Checkbox } from '../../ui/Checkbox.tsx';
import { Notice } from '../../ui/Notice.tsx';
import styles from './CorpusPanel.module.css';
import { domainLabel } from './domain-label.ts';

/** The text that comes with the studio, one box a domain. */
export function BundledDomains() {
  const chosen = useStore(corpusStore, (state) => state.bundled);
  const { data, error } = useQuery({ queryKey: ['demo-manifest'], queryFn: loadDemoManifest });
  if (error !== null) {
    const wire = toWireError(error);
    return <Notice tone="error" message={wire.message} nextStep={wire.nextStep} />;
  }
  const corpora = data?.corpora.filter(({ split }) => split === 'calibration') ?? [];
  return (
    <div className={styles.bundled}>
      <div className={styles.domains}>
        {corpora.map(({ domain, url, licences }) => (
          <Checkbox
            key={domain}
            label={<span title={licences.join(', ')}>{domainLabel(domain)}</span>}
            checked={chosen.has(domain)}
            onChange={(checked) => setBundled(domain, url, checked)}
          />
        ))}
      </div>
      <p className={styles.links}>
        <a href="demo/SOURCES.md" target="_blank" rel="noreferrer">
          Sources and licences of the bundled text
        </a>
      </p>
    </div>
  );
}
