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

/** Marks at round ones of the counts of experts that can stay (falling, all experts first), about `most` of them. */
export function sliderTicks(counts: readonly number[], most: number): SliderTick[] {
  const [experts = 0] = counts;
  let step = 1;
  while ((counts.length - 1) / step > most) step *= 2;
  const ticks: SliderTick[] = [];
  for (const keep of counts.filter((_, index) => index % step === 0)) {
    const percent = ratioOfDrop(experts, experts - keep) * 100;
    if (percent > LARGEST_PERCENT) break;
    ticks.push({ keep, place: percent / LARGEST_PERCENT });
  }
  return ticks;
}
