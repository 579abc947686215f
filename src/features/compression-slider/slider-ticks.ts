import { ratioOfDrop } from '../../core/plan/constraints.ts';

export const LARGEST_PERCENT = 90;

/** A mark under the slider: that many experts stay. */
export interface SliderTick {
  readonly keep: number;
  /** 0..1 along the track. */
  readonly place: number;
}

/** The least whole per cent at which `drop` of `experts` go. */
export function percentOfDrop(experts: number, drop: number): number {
  return Math.ceil(ratioOfDrop(experts, drop) * 100 - 1e-9);
}

/** Marks at round counts of experts that stay, at most `most` of them, the full count first. */
export function sliderTicks(experts: number, topK: number, most: number): SliderTick[] {
  let step = 1;
  while ((experts - topK) / step > most) step *= 2;
  const ticks: SliderTick[] = [];
  for (let keep = experts; keep >= topK; keep -= step) {
    const percent = ratioOfDrop(experts, experts - keep) * 100;
    if (percent > LARGEST_PERCENT) break;
    ticks.push({ keep, place: percent / LARGEST_PERCENT });
  }
  return ticks;
}
