import { StudioError } from '../base/errors.ts';
import type { TensorFacts } from './stored-weight.ts';

/** The refusal of a tensor that cannot be decoded; `why` is the end of a sentence. Code `unsupported-quantisation`. */
export function unsupportedQuantisation(tensor: TensorFacts, why: string): StudioError {
  return new StudioError(
    'checkpoint',
    'unsupported-quantisation',
    `The tensor "${tensor.name}" (${tensor.dtype} [${tensor.shape.join(', ')}]) cannot be decoded: ${why}.`,
    {
      nextStep: 'Exporting works for every format; calibrate the BF16 or FP8 release and apply its plan to this one.',
      details: { tensor: tensor.name, dtype: tensor.dtype },
    },
  );
}
