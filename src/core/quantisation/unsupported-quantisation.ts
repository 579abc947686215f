import { StudioError } from '../base/errors.ts';
import type { TensorFacts } from './weight-scheme.ts';

/** The refusal of a tensor that cannot be decoded; `why` is the end of a sentence. Code `unsupported-quantisation`. */
export function unsupportedQuantisation(tensor: TensorFacts, why: string): StudioError {
  return new StudioError(
    'checkpoint',
    'unsupported-quantisation',
    `The tensor "${tensor.name}" (${tensor.dtype} [${tensor.shape.join(', ')}]) cannot be decoded: ${why}.`,
    {
      nextStep:
        'Inspecting it, and exporting it by a plan that was made for it, work; calibrate a release in a format that the studio decodes.',
      details: { tensor: tensor.name, dtype: tensor.dtype },
    },
  );
}
