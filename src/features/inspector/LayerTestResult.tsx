import { useStore } from 'zustand';
import type { LayerTest } from '../../core/protocol/inspect-protocol.ts';
import { inspectorStore } from '../../stores/inspector-store.ts';
import { Facts } from '../../ui/Facts.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { formatMeasure, formatWhole } from '../../ui/number-format.ts';

/** What the test of the present descriptor showed. */
export function LayerTestResult() {
  const test = useStore(inspectorStore, (state) => state.test);
  return (
    <div role="status" aria-label="Layer test">
      {test.status === 'running' ? <p>Running the first layer with experts on random tokens…</p> : null}
      {test.status === 'passed' ? <Figures {...test.figures} /> : null}
      {test.status === 'failed' ? (
        <Notice tone="error" message={test.error.message} nextStep={test.error.nextStep} />
      ) : null}
    </div>
  );
}

function Figures(figures: LayerTest) {
  const { tensors, ignored, layer, tokens, experts, topK, expertsUsed, gateSum, largestOutput, backend } = figures;
  const all = formatWhole(tensors);
  return (
    <>
      <p>
        <strong>Layer {layer} computes.</strong> Every value is finite. That shows names, shapes and the router to fit,
        not that each rule is right: look at the uncertain lines too.
      </p>
      <Facts
        facts={[
          ['Tensors with a role', `${all} of ${all}${ignored > 0 ? `, ${formatWhole(ignored)} not computed` : ''}`],
          ['Random tokens', `${tokens}, top-${topK}`],
          ['Experts used', `${expertsUsed} of ${experts}`],
          ['Gates of a token add up to', formatMeasure(gateSum)],
          ['Largest output', formatMeasure(largestOutput)],
          ['Computed with', backend],
        ]}
      />
      {expertsUsed <= topK && experts > topK ? (
        <Notice
          tone="warning"
          message="Every token went to the same experts."
          nextStep='A router of a trained model spreads them: check the lines of "router" and "norm".'
        />
      ) : null}
    </>
  );
}
