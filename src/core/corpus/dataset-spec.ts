import { isStudioError, StudioError } from '../base/errors.ts';
import { type HubName, parseHubName } from '../hub/hub-name.ts';

/** Rows of one split of a data set on the hub. */
export interface DatasetSpec {
  /** As it was written, without revision and number: `org/name[subset](split)`, or less. */
  readonly name: string;
  /** `org/name`. */
  readonly repo: string;
  readonly revision?: string;
  readonly subset?: string;
  readonly split?: string;
  /** The first so many documents, in the order of the files. */
  readonly samples: number;
}

const ENTRY = /^([^[\]()]+)(?:\[([^[\]]+)\])?(?:\(([^()]+)\))?$/;

/**
 * Reads `name[subset](split):N,name:N,…`: data sets of the hub, each with the number of documents to take. Subset and
 * split may be left out, and `hf:` may stand before a name. (The grammar is that of the reference's composite data sets.)
 *
 * @throws StudioError family `usage` code `bad-dataset`, and as parseHubName
 */
export function parseDatasets(text: string): DatasetSpec[] {
  return splitEntries(text).map((entry) => {
    const colon = entry.lastIndexOf(':');
    const count = entry.slice(colon + 1);
    const named = ENTRY.exec(entry.slice(0, colon).trim());
    if (colon === -1 || named === null || !/^\s*[1-9]\d{0,8}\s*$/.test(count)) {
      throw new StudioError(
        'usage',
        'bad-dataset',
        `"${entry}" does not name a data set and how many documents to take.`,
        {
          nextStep: 'Write org/name:1000, or org/name[subset](split):1000; several are joined by commas.',
          details: { entry },
        },
      );
    }
    const [, full = '', subset, split] = named;
    const { repo, revision } = nameOf(full);
    return {
      name: `${repo}${subset === undefined ? '' : `[${subset}]`}${split === undefined ? '' : `(${split})`}`,
      repo,
      samples: Number(count),
      ...(revision === undefined ? {} : { revision }),
      ...(subset === undefined ? {} : { subset }),
      ...(split === undefined ? {} : { split }),
    };
  });
}

function nameOf(text: string): HubName {
  try {
    return parseHubName(text);
  } catch (error) {
    if (!isStudioError(error, 'usage') || error.code !== 'bad-repo-name') throw error;
    throw new StudioError('usage', error.code, error.message, {
      nextStep: 'Write owner and name, for example allenai/c4[en](train):1000.',
      details: error.details,
      cause: error,
    });
  }
}

/** At the commas outside of brackets: names of subsets may hold commas. */
function splitEntries(text: string): string[] {
  const entries: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= text.length; at++) {
    const char = text[at];
    if (char === '[' || char === '(') depth += 1;
    else if (char === ']' || char === ')') depth -= 1;
    if (char !== undefined && (char !== ',' || depth > 0)) continue;
    entries.push(text.slice(from, at).trim());
    from = at + 1;
  }
  return entries;
}
