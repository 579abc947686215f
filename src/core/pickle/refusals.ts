import { StudioError } from '../base/errors.ts';

const SAVE_PLAIN = 'Save it anew with torch.save, as plain dicts of tensors and numbers, then open that file.';

/** The file asks for something that only a program may do; nothing of it was done. */
export function unsafePickle(file: string, asked: string): StudioError {
  return new StudioError(
    'calibration',
    'unsafe-pickle',
    `"${file}" asks ${asked}: the studio runs nothing from files.`,
    {
      nextStep: `Do not load it elsewhere if you do not know who made it. ${SAVE_PLAIN}`,
      details: { file },
    },
  );
}

/** The file is no torch file of the form that is read here; `problem` continues "it". */
export function unsupportedTorchFile(file: string, problem: string): StudioError {
  return new StudioError('calibration', 'unsupported-torch-file', `"${file}" cannot be read: it ${problem}.`, {
    nextStep: SAVE_PLAIN,
    details: { file },
  });
}

/** The file contradicts itself or ends too early; `problem` continues "it". */
export function damagedTorchFile(file: string, problem: string): StudioError {
  return new StudioError('calibration', 'damaged-torch-file', `"${file}" is damaged: it ${problem}.`, {
    nextStep: 'Copy the file again from where it was made, or make it anew.',
    details: { file },
  });
}
