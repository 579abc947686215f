import { useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { currentSelection, measuredScores, presentChoice, subscribeDerived } from '../../stores/derived.ts';
import type { Cell } from '../../stores/view-store.ts';
import { cellWords } from './cell-words.ts';

/** The words of one cell, kept up to date; empty while nothing is open. */
export function useCellWords({ row, expert }: Cell): string {
  const layer = useStore(checkpointStore, (state) => state.summary?.moeLayers[row]);
  const { metric, isHeld } = useSyncExternalStore(subscribeDerived, presentChoice);
  const scores = useSyncExternalStore(subscribeDerived, measuredScores).value?.find(
    (other) => other.layer === layer?.layer,
  );
  const selection = useSyncExternalStore(subscribeDerived, currentSelection);
  if (layer === undefined) return '';
  const plan = selection?.value?.plan.layers.find((other) => other.layer === layer.layer);
  return cellWords({ layer, expert, metric, scores, plan, isHeld });
}
