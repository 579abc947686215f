import { type ErrorDetails, StudioError } from '../base/errors.ts';
import { MAX_QUOTED_CHARACTERS } from './limits.ts';

const DOWNLOAD_AGAIN = 'Download the file again from the original repository and compare its size there.';
const NOT_WHOLE = 'The file is damaged or was written by a faulty tool. Download it again, or save the model again.';
const FAULTY_WRITER =
  'The tool that wrote the file made it wrongly. Save the model again with a current safetensors library.';
const INDEX_AGAIN = 'Download model.safetensors.index.json again from the original repository.';

/** What a person does next, for each reason to refuse a file of a checkpoint. The keys are the error codes. */
const NEXT_STEPS = {
  'lfs-pointer': 'Run "git lfs pull" in the repository, or download the file itself from the model’s page.',
  'html-page': 'Download the file itself: take its download link, and log in first when the model asks for it.',
  'too-short': DOWNLOAD_AGAIN,
  'header-too-large': 'Check that this is a .safetensors file: other formats (.bin, .gguf, .pt) cannot be opened.',
  'header-beyond-file': DOWNLOAD_AGAIN,
  'invalid-utf8': NOT_WHOLE,
  'header-start': 'Check that this is a .safetensors file, and download it again if it is.',
  'trailing-bytes': NOT_WHOLE,
  'not-json': NOT_WHOLE,
  'too-complex': NOT_WHOLE,
  'duplicate-key': FAULTY_WRITER,
  'root-not-object': INDEX_AGAIN,
  'bad-entry': FAULTY_WRITER,
  'unknown-field': FAULTY_WRITER,
  'missing-field': FAULTY_WRITER,
  'unknown-dtype': 'Use a release of the model in a dtype that the safetensors format lists, such as BF16.',
  'bad-shape': FAULTY_WRITER,
  'size-overflow': FAULTY_WRITER,
  'partial-byte': FAULTY_WRITER,
  'bad-offsets': FAULTY_WRITER,
  'size-mismatch': FAULTY_WRITER,
  hole: FAULTY_WRITER,
  overlap: FAULTY_WRITER,
  truncated: 'The download is not complete. Download the file again and compare its size with the original.',
  'trailing-data': 'Something was appended to the file. Download it again from a source that you trust.',
  'bad-metadata': FAULTY_WRITER,
  'index-too-large': INDEX_AGAIN,
  'too-many-shards': INDEX_AGAIN,
  'bad-weight-map': INDEX_AGAIN,
  'unsafe-shard-name': 'Do not use this index: get the model from a source that you trust.',
  'bad-total-size': INDEX_AGAIN,
} as const;

/** Codes of StudioError family `safetensors`. */
export type SafetensorsErrorCode = keyof typeof NEXT_STEPS;

/** Makes the refusal of one file. `problem` goes on from the file's name: `ends inside its header`. */
export type Refuse = (code: SafetensorsErrorCode, problem: string, details?: ErrorDetails) => StudioError;

/** A name from a file, in quotes and short enough for a message. */
export function quoted(name: string): string {
  return name.length <= MAX_QUOTED_CHARACTERS ? `"${name}"` : `"${name.slice(0, MAX_QUOTED_CHARACTERS)}…"`;
}

/** The maker of refusals for `file`: family `safetensors`, `details.file` set, the next step by code. */
export function refusalsOf(file: string): Refuse {
  return (code, problem, details) =>
    new StudioError('safetensors', code, `${quoted(file)} ${problem}.`, {
      nextStep: NEXT_STEPS[code],
      details: { file, ...details },
    });
}
