import { toWireError } from '../src/core/base/errors.ts';
import type { HubQuery } from '../src/core/hub/hub-repo.ts';
import { resolveHub } from '../src/core/hub/open-hub.ts';
import type { CalibrationApi } from '../src/core/protocol/calibration-protocol.ts';

/** Looks a repository up on its hub with the worker's own fetch. */
export async function resolveHubQuery(query: HubQuery): ReturnType<CalibrationApi['resolveHub']> {
  try {
    return { ok: true, value: await resolveHub(query, { fetch: (input, init) => fetch(input, init) }) };
  } catch (error) {
    return { ok: false, error: toWireError(error) };
  }
}
