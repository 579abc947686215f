import type { ModelConfig } from '../checkpoint/model-config.ts';
import type { Routing } from '../routing/router.ts';
import type { BackendTensor, InferenceBackend } from './inference-backend.ts';

/** Experts that return their input (LongCat's zero-computation experts): into[t] += residual · Σ gate · normed[t]. */
export function addIdentityExperts(
  backend: InferenceBackend,
  { selected, gates }: Routing,
  { experts, topK, hiddenSize }: ModelConfig,
  residual: number,
  { normed, into }: { readonly normed: BackendTensor; readonly into: BackendTensor },
): void {
  const factors = new Map<number, number>();
  for (let place = 0; place < selected.length; place++) {
    if ((selected[place] ?? 0) < experts) continue;
    const token = Math.floor(place / topK);
    factors.set(token, (factors.get(token) ?? 0) + residual * (gates[place] ?? 0));
  }
  if (factors.size === 0) return;
  const rows = Int32Array.from(factors.keys());
  const values = backend.gatherRows(normed, rows, [1, rows.length, hiddenSize]);
  backend.scatterAddRows(into, rows, Float32Array.from(factors.values()), values);
  values.dispose();
}
