import type { ReactNode } from 'react';
import { ErrorBoundary } from 'react-error-boundary';
import { CalibrationPanel } from '../features/calibration-panel/CalibrationPanel.tsx';
import { ModelCard } from '../features/checkpoint-loader/ModelCard.tsx';
import { CompressionSlider } from '../features/compression-slider/CompressionSlider.tsx';
import { CorpusPanel } from '../features/corpus-panel/CorpusPanel.tsx';
import { ExpertInspector } from '../features/expert-inspector/ExpertInspector.tsx';
import { ExportPanel } from '../features/export-panel/ExportPanel.tsx';
import { PlanExchange } from '../features/plan-exchange/PlanExchange.tsx';
import { PlanSummary } from '../features/plan-summary/PlanSummary.tsx';
import { SaliencyHeatmap } from '../features/saliency-heatmap/SaliencyHeatmap.tsx';
import { RegionFailure } from './RegionFailure.tsx';
import styles from './Workspace.module.css';

/** Model and text at the left, the map in the middle, one expert and the way out at the right, the slider below. */
export function Workspace() {
  return (
    <main className={styles.page}>
      <h1 className="visually-hidden">Prune a checkpoint</h1>
      <div className={styles.left}>
        <div className={styles.scroll}>
          <Region>
            <ModelCard />
          </Region>
          <Region>
            <CorpusPanel />
          </Region>
        </div>
        <Region>
          <CalibrationPanel />
        </Region>
      </div>
      <div className={styles.middle}>
        <Region>
          <SaliencyHeatmap />
        </Region>
      </div>
      <div className={styles.right}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls and may hold nothing that takes the focus */}
        <section className={styles.scroll} aria-label="Expert" tabIndex={0}>
          <Region>
            <ExpertInspector />
          </Region>
        </section>
        <Region>
          <ExportPanel />
        </Region>
      </div>
      <div className={styles.bottom}>
        <Region>
          <CompressionSlider />
        </Region>
        <div className={styles.outcome}>
          <Region>
            <PlanSummary />
          </Region>
          <Region>
            <PlanExchange />
          </Region>
        </div>
      </div>
    </main>
  );
}

function Region({ children }: { readonly children: ReactNode }) {
  return <ErrorBoundary FallbackComponent={RegionFailure}>{children}</ErrorBoundary>;
}
