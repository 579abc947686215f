import { writeFile } from 'node:fs/promises';
import { openModel } from '../../src/cli/open-model.ts';
import { fixturePlan } from '../../src/core/export/small-model.fixture.ts';
import { serialisePlan } from '../../src/core/plan/plan-file.ts';

export const DEMO_MODEL = new URL('../../public/demo/model', import.meta.url).pathname;

/** Writes a plan for a model that keeps three experts of four, other ones in every layer; nothing was measured for it. */
export async function writePlanFor(folder: string, path: string): Promise<void> {
  const model = await openModel(folder, AbortSignal.timeout(60_000));
  const { experts } = model.config;
  const keep = model.moeLayers.map((_, row) =>
    Array.from({ length: experts }, (_, expert) => expert).filter((expert) => (expert + row) % 4 !== 0),
  );
  await writeFile(path, serialisePlan(fixturePlan(model, keep)));
}

export function writeDemoPlan(path: string): Promise<void> {
  return writePlanFor(DEMO_MODEL, path);
}
