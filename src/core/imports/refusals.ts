import { StudioError } from '../base/errors.ts';

const FORMS =
  'an observer file of the reference (.pt), expert_stats.json of llama-expert-profile, or a report or retained experts of llm-compressor';

/** The file is none that can be imported; `problem` continues "it". */
export function unknownImport(file: string, problem: string): StudioError {
  return new StudioError('plan', 'unknown-import', `"${file}" cannot be imported: it ${problem}.`, {
    nextStep: `Choose ${FORMS}.`,
    details: { file },
  });
}

/** The file is of a known form, and something in it is not as it should be; `problem` continues "it". */
export function invalidImport(file: string, problem: string): StudioError {
  return new StudioError('plan', 'invalid-import', `"${file}" cannot be used: it ${problem}.`, {
    nextStep: 'Let the tool that wrote it write it anew, and compare its version with the one in the documentation.',
    details: { file },
  });
}

/** The file was made on another model; `problem` continues "it". */
export function otherModelImport(file: string, label: string, problem: string): StudioError {
  return new StudioError('plan', 'other-model', `"${file}" was not made on "${label}": it ${problem}.`, {
    nextStep: 'Open the model that it was made on, or calibrate this one.',
    details: { file },
  });
}
