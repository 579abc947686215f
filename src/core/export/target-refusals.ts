import { StudioError } from '../base/errors.ts';

/** The refusal of a target that holds something else. `found` is a file in it; `why` continues the sentence. */
export function targetNotEmpty(label: string, found: string, why: string): StudioError {
  return new StudioError('export', 'target-not-empty', `"${label}" is not empty: it holds "${found}"${why}.`, {
    nextStep: 'Choose an empty folder, or empty this one yourself; the studio removes nothing that it did not write.',
    details: { file: found, folder: label },
  });
}

/** The refusal of a file that has the name of our journal or lock but is none that can be trusted. `why` follows the name. */
export function foreignRecord(label: string, file: string, why: string): StudioError {
  return new StudioError('export', 'foreign-journal', `"${file}" in "${label}" ${why}.`, {
    nextStep: `Choose an empty folder; or, if nothing in this one is needed, delete "${file}" and what lies beside it, and export again.`,
    details: { file, folder: label },
  });
}
