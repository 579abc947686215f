import { readFileSync } from 'node:fs';
import { z } from 'zod';

const floats = z.string().transform((text) => new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer));

/**
 * Figures of one of transformers' mixers between its projections, made by tools/goldens/recurrence.py: its shape and
 * parameters by our names, and sequences with the rows that went in and the rows that came out.
 */
export function goldenMixer<D extends z.ZodRawShape, P extends string, R extends string>(
  file: string,
  shape: { readonly dims: D; readonly parameters: readonly P[]; readonly rows: readonly R[] },
) {
  const text = readFileSync(new URL(`./fixtures/${file}.json`, import.meta.url), 'utf8');
  const golden = z.object({
    cases: z.array(
      z.object({
        dims: z.object(shape.dims),
        parameters: z.record(z.enum(shape.parameters), floats).and(z.object({ convolutionBias: floats.optional() })),
        sequences: z.array(
          z.object({ tokens: z.number(), rows: z.record(z.enum(shape.rows), floats), output: floats }),
        ),
      }),
    ),
  });
  return golden.parse(JSON.parse(text)).cases;
}

/** The greatest distance of two arrays, in units of the oracle's root mean square; NaN when lengths or NaNs differ. */
export function relativeDistance(actual: Float32Array, oracle: Float32Array): number {
  if (actual.length !== oracle.length || oracle.length === 0) return Number.NaN;
  const meanSquare = oracle.reduce((sum, value) => sum + value * value, 0) / oracle.length;
  let worst = 0;
  for (let i = 0; i < oracle.length; i++) {
    const distance = Math.abs((actual[i] ?? Number.NaN) - (oracle[i] ?? Number.NaN));
    if (!(distance <= worst)) worst = distance;
  }
  return worst / Math.sqrt(meanSquare);
}
