import { type RefObject, useEffect } from 'react';
import { subscribeDerived } from '../../stores/derived.ts';
import { viewStore } from '../../stores/view-store.ts';
import type { HeatmapGeometry } from './heatmap-geometry.ts';
import { drawPresent, themeAt } from './heatmap-picture.ts';

/** Keeps the canvas up to date: at most one drawing a frame, past React. */
export function useHeatmapDrawing(canvas: RefObject<HTMLCanvasElement | null>, geometry: HeatmapGeometry | null): void {
  useEffect(() => {
    if (geometry === null) return;
    let frame = 0;
    const draw = () => {
      frame = 0;
      if (canvas.current === null) return;
      const { color, backgroundColor, borderTopColor } = getComputedStyle(canvas.current);
      drawPresent(canvas.current, geometry, themeAt(color, backgroundColor, borderTopColor));
    };
    const request = () => {
      if (frame === 0) frame = requestAnimationFrame(draw);
    };
    const darkness = matchMedia('(prefers-color-scheme: dark)');
    const stops = [subscribeDerived(request), viewStore.subscribe(request)];
    darkness.addEventListener('change', request);
    draw();
    return () => {
      cancelAnimationFrame(frame);
      darkness.removeEventListener('change', request);
      for (const stop of stops) stop();
    };
  }, [canvas, geometry]);
}
