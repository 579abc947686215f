import type { CheckpointSummary } from '../checkpoint/summary.ts';
import type { LayerPlan, PruningPlan } from './pruning-plan.ts';

/** A figure of the model as opened and as the plan leaves it. */
export interface BeforeAfter {
  readonly before: number;
  readonly after: number;
}

/** Experts of the leanest and the fullest layer. */
export interface ExpertRange {
  readonly min: number;
  readonly max: number;
}

export interface PlanSummary {
  readonly expertsPerLayer: { readonly before: ExpertRange; readonly after: ExpertRange };
  /** Over all layers. */
  readonly expertsDropped: number;
  readonly parameters: BeforeAfter;
  /** Sum of tensor bytes, without file headers; what the weights take on disk, and in memory as loaded in their own dtype. */
  readonly bytes: BeforeAfter;
  /**
   * Every parameter of the forward pass but those of the routed experts that a token is not sent to; embeddings count
   * whole, layers that predict further tokens not at all.
   */
  readonly activeParametersPerToken: BeforeAfter;
  /**
   * In 0..1: per layer the kept experts' share of the sum of scores, averaged over the layers, so that a layer with
   * large scores counts no more than another. A layer whose scores are all 0 is left out; null when no layer has any.
   */
  readonly saliencyKept: number | null;
}

/** Figures of a plan for the model it fits (see checkPlanFits). Cheap enough for every move of the slider. */
export function summarisePlan(summary: CheckpointSummary, plan: PruningPlan): PlanSummary {
  const planned = new Map(plan.layers.map((layer) => [layer.layer, layer]));
  let expertsDropped = 0;
  let parametersDropped = 0;
  let bytesDropped = 0;
  let idleBefore = 0;
  let idleAfter = 0;
  const after: number[] = [];
  for (const layer of summary.moeLayers) {
    const dropped = planned.get(layer.layer)?.drop.length ?? 0;
    const kept = layer.experts - dropped;
    after.push(kept);
    expertsDropped += dropped;
    parametersDropped += dropped * (layer.expertParameters + layer.routerParametersPerExpert);
    bytesDropped += dropped * (layer.expertBytes + layer.routerBytesPerExpert);
    idleBefore += (layer.experts - layer.topK) * layer.expertParameters;
    idleAfter += (kept - layer.topK) * layer.expertParameters;
  }
  const beyond = summary.nextToken ?? { parameters: 0, bytes: 0, expertParameters: 0, expertBytes: 0 };
  const droppedLast = plan.layers.at(-1)?.drop.length ?? 0;
  const all = plan.nextToken === 'drop';
  const beyondDropped = all ? beyond.parameters : droppedLast * beyond.expertParameters;
  parametersDropped += beyondDropped;
  bytesDropped += all ? beyond.bytes : droppedLast * beyond.expertBytes;
  const parameters = { before: summary.totalParameters, after: summary.totalParameters - parametersDropped };
  return {
    expertsPerLayer: { before: range(summary.moeLayers.map(({ experts }) => experts)), after: range(after) },
    expertsDropped,
    parameters,
    bytes: { before: summary.totalBytes, after: summary.totalBytes - bytesDropped },
    activeParametersPerToken: {
      before: parameters.before - idleBefore - beyond.parameters,
      after: parameters.after - idleAfter - (beyond.parameters - beyondDropped),
    },
    saliencyKept: saliencyKept(plan.layers),
  };
}

function range(counts: readonly number[]): ExpertRange {
  return counts.length === 0 ? { min: 0, max: 0 } : { min: Math.min(...counts), max: Math.max(...counts) };
}

function saliencyKept(layers: readonly LayerPlan[]): number | null {
  let shares = 0;
  let counted = 0;
  for (const { keep, scores } of layers) {
    let total = 0;
    for (let expert = 0; expert < scores.length; expert++) total += scores[expert] ?? 0;
    if (total <= 0) continue;
    let kept = 0;
    for (let at = 0; at < keep.length; at++) kept += scores[keep[at] ?? 0] ?? 0;
    shares += kept / total;
    counted++;
  }
  return counted === 0 ? null : shares / counted;
}
