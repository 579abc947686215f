import type { QueryClient } from '@tanstack/react-query';
import { loadDemoManifest } from '../../client/demo-manifest.ts';
import { changeSource, refuse } from '../../stores/checkpoint-actions.ts';
import { corpusStore } from '../../stores/corpus-store.ts';
import { planStore } from '../../stores/plan-store.ts';

/** One domain and a quarter: where the measured results show REAP doing well on this small model. */
const OPENING_DOMAIN = 'python';
const OPENING_PERCENT = 25;

/** Opens the bundled model over http, ticks one domain and sets the slider. */
export async function openDemo(queries: QueryClient): Promise<void> {
  try {
    const manifest = await queries.ensureQueryData({ queryKey: ['demo-manifest'], queryFn: loadDemoManifest });
    const corpus = manifest.corpora.find(({ domain, split }) => domain === OPENING_DOMAIN && split === 'calibration');
    corpusStore.setState({ bundled: new Map(corpus === undefined ? [] : [[corpus.domain, corpus.url]]), own: [] });
    planStore.setState({ percent: OPENING_PERCENT });
    changeSource({ kind: 'http', label: 'reap-demo', baseUrl: manifest.modelUrl, names: manifest.modelFiles });
  } catch (error) {
    refuse(error);
  }
}
