import type { WireError } from '../../core/base/errors.ts';
import type { ExpertRange, PlanSummary } from '../../core/plan/plan-summary.ts';
import { formatBytes, formatPercent } from '../../ui/number-format.ts';

/** The slider's value for assistive technology: "25 %, 24 of 32 experts a layer, 23.4 MB". */
export function sliderWords(percent: number, summary: PlanSummary | null, refusal: WireError | null): string {
  const ratio = formatPercent(percent / 100);
  if (refusal !== null) return `${ratio}, not possible: ${refusal.message}`;
  if (summary === null) return ratio;
  const { expertsPerLayer, bytes } = summary;
  return `${ratio}, ${rangeWords(expertsPerLayer.after)} of ${rangeWords(expertsPerLayer.before)} experts a layer, ${formatBytes(bytes.after)}`;
}

function rangeWords({ min, max }: ExpertRange): string {
  return min === max ? `${min}` : `${min} to ${max}`;
}
