import { axisLeft, axisTop } from 'd3-axis';
import { scaleLinear } from 'd3-scale';
import { select } from 'd3-selection';
import { useEffect, useRef } from 'react';
import styles from './SaliencyHeatmap.module.css';

interface HeatmapAxesProps {
  /** CSS pixels of the map. */
  readonly width: number;
  readonly height: number;
  readonly margin: { readonly left: number; readonly top: number };
  readonly columns: number;
  /** The model's own index of every row. */
  readonly layers: readonly number[];
}

/** Expert numbers above the map, layer numbers at its left. */
export function HeatmapAxes({ width, height, margin, columns, layers }: HeatmapAxesProps) {
  const top = useRef<SVGGElement>(null);
  const left = useRef<SVGGElement>(null);
  useEffect(() => {
    if (top.current === null || left.current === null) return;
    const x = scaleLinear([-0.5, columns - 0.5], [0, width]);
    const y = scaleLinear([-0.5, layers.length - 0.5], [0, height]);
    const experts = ticksEvery(columns, Math.floor(width / 34));
    const rows = ticksEvery(layers.length, Math.floor(height / 16));
    select(top.current).call(axisTop(x).tickValues(experts).tickFormat(String).tickSize(3).tickPadding(3));
    select(left.current).call(
      axisLeft(y)
        .tickValues(rows)
        .tickFormat((row) => String(layers[Number(row)] ?? ''))
        .tickSize(3)
        .tickPadding(4),
    );
  }, [width, height, columns, layers]);
  return (
    <svg className={styles.axes} width={width + margin.left} height={height + margin.top} aria-hidden>
      <g ref={top} transform={`translate(${margin.left},${margin.top})`} />
      <g ref={left} transform={`translate(${margin.left},${margin.top})`} />
    </svg>
  );
}

/** Every 1st, 2nd, 4th, 8th … index, at most `most` of them: expert counts are powers of two more often than of ten. */
function ticksEvery(count: number, most: number): number[] {
  let step = 1;
  while (count / step > Math.max(1, most)) step *= 2;
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step);
}
