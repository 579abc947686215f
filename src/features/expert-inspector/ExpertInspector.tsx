import { useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { defaultMetric, saliencyMetrics } from '../../core/saliency/registry.ts';
import { calibrationStore } from '../../stores/calibration-store.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { currentSelection, measuredScores, presentChoice, subscribeDerived } from '../../stores/derived.ts';
import { planStore } from '../../stores/plan-store.ts';
import { viewStore } from '../../stores/view-store.ts';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { formatMeasure, formatPercent, formatWhole } from '../../ui/number-format.ts';
import { Panel } from '../../ui/Panel.tsx';
import { DomainTable } from './DomainTable.tsx';
import styles from './ExpertInspector.module.css';
import { domainParts, expertFacts } from './expert-facts.ts';
import { fateOf } from './fate.ts';
import { LayerRanking } from './LayerRanking.tsx';
import { PlannedExpert } from './PlannedExpert.tsx';

/** The active expert: what was measured of it, and why it stays or goes. */
export function ExpertInspector() {
  const { row, expert } = useStore(viewStore, (state) => state.active);
  const layer = useStore(checkpointStore, (state) => state.summary?.moeLayers[row]);
  const statistics = useStore(calibrationStore, (state) => state.statistics);
  const metric = useStore(planStore, (state) => saliencyMetrics.get(state.metric) ?? defaultMetric);
  const scores = useSyncExternalStore(subscribeDerived, measuredScores);
  const selection = useSyncExternalStore(subscribeDerived, currentSelection);
  const { isHeld } = useSyncExternalStore(subscribeDerived, presentChoice);
  if (layer === undefined) return null;

  if (isHeld) return <PlannedExpert layer={layer.layer} expert={expert} />;
  const title = `Layer ${layer.layer}, expert ${expert}`;
  const measured = statistics?.layers.find((other) => other.layer === layer.layer);
  const layerScores = scores.value?.find((other) => other.layer === layer.layer)?.scores;
  if (scores.error !== null) {
    return (
      <Panel title={title}>
        <Notice tone="error" message={scores.error.message} nextStep={scores.error.nextStep} />
      </Panel>
    );
  }
  if (statistics === null || measured === undefined || layerScores === undefined) {
    return (
      <Panel title={title}>
        <Notice tone="plain" message="Not measured yet. Its figures appear here once its layer is done." />
      </Panel>
    );
  }

  const facts = expertFacts(measured, expert);
  const lacks = statistics.imported?.lacks ?? [];
  const score = layerScores[expert] ?? 0;
  const rank = 1 + layerScores.filter((other) => other > score).length;
  const plan = selection?.value?.plan.layers.find((other) => other.layer === layer.layer);
  const fate = plan === undefined ? null : fateOf(plan, expert, rank, metric.label);
  return (
    <Panel
      title={title}
      aside={
        fate === null ? undefined : (
          <span className={fate.kept ? styles.kept : styles.cut}>{fate.kept ? 'Kept' : 'Cut'}</span>
        )
      }
    >
      {fate === null ? null : <p className={styles.why}>{fate.why}</p>}
      <LayerRanking layer={layer.layer} scores={layerScores} drop={plan?.drop ?? []} expert={expert} />
      <Facts
        facts={[
          [metric.label, `${formatMeasure(score)}, rank ${rank} of ${layer.experts}`],
          ['Tokens routed here', formatWhole(facts.tokens)],
          ['Share of tokens', `${formatPercent(facts.share, 1)}, even ${formatPercent(facts.evenShare, 1)}`],
          ['Mean gate', measureOrDash(lacks.includes('gateSum') ? null : facts.meanGate)],
          ['Mean output norm', measureOrDash(lacks.includes('normSum') ? null : facts.meanNorm)],
          ...(metric.id === 'reap' ? [] : [['Mean gate × norm', measureOrDash(facts.meanGateNorm)] as const]),
          ['Largest activation', measureOrDash(lacks.includes('maxAbs') ? null : facts.largest)],
        ]}
      />
      {measured.domains.length > 1 ? (
        <DomainTable domains={statistics.domains} parts={domainParts(measured, expert)} />
      ) : null}
      <p className={styles.formula}>
        {metric.label}: {metric.formula}. {metric.description}
      </p>
    </Panel>
  );
}

function measureOrDash(value: number | null): string {
  return value === null ? '–' : formatMeasure(value);
}
