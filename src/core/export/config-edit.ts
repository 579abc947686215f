import { StudioError } from '../base/errors.ts';

interface Member {
  readonly key: string;
  /** The value's place in the text: [start, end). */
  readonly start: number;
  readonly end: number;
}

/**
 * config.json with the expert count set to `to` under every one of `keys` that is present; every other character stays as
 * it was, so numbers such as `1e-06` keep their spelling. `text` is JSON that parses to an object.
 * @throws StudioError family `export`: `no-expert-count` when none of the keys is there, `config-disagrees` when a
 * spelling that is there is not `from`.
 */
export function editExpertCount(text: string, keys: readonly string[], from: number, to: number): string {
  const members = topLevelMembers(text).filter((member) => keys.includes(member.key));
  if (members.length === 0) {
    throw new StudioError('export', 'no-expert-count', `config.json has none of the keys ${keys.join(', ')}.`, {
      nextStep: 'Check that the config.json belongs to this model, then open the model again.',
      details: { file: 'config.json' },
    });
  }
  let edited = '';
  let position = 0;
  for (const { key, start, end } of members) {
    if (Number(text.slice(start, end)) !== from) {
      throw new StudioError(
        'export',
        'config-disagrees',
        `config.json says ${key} = ${text.slice(start, end)}, but the model has ${from} experts a layer.`,
        {
          nextStep: `Remove or correct "${key}" in config.json, then open the model again.`,
          details: { file: 'config.json', key },
        },
      );
    }
    edited += text.slice(position, start) + String(to);
    position = end;
  }
  return edited + text.slice(position);
}

/** The members of the outermost object of valid JSON text, in the order of the text. */
function topLevelMembers(text: string): Member[] {
  const members: Member[] = [];
  let depth = 0;
  let key: string | undefined;
  let start = -1;
  const endMember = (end: number): void => {
    if (key !== undefined && start >= 0)
      members.push({ key, start, end: start + text.slice(start, end).trimEnd().length });
    key = undefined;
    start = -1;
  };
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (character === '"') {
      const end = stringEnd(text, index);
      if (depth === 1) {
        if (key === undefined) key = String(JSON.parse(text.slice(index, end)));
        else if (start < 0) start = index;
      }
      index = end - 1;
    } else if (character === '}' || character === ']') {
      depth--;
      if (depth === 0) endMember(index);
    } else if (character === ',' && depth === 1) {
      endMember(index);
    } else {
      if (depth === 1 && key !== undefined && start < 0 && !/[\s:]/.test(character)) start = index;
      if (character === '{' || character === '[') depth++;
    }
  }
  return members;
}

/** Index after the closing quote of the string that opens at `open`. */
function stringEnd(text: string, open: number): number {
  let index = open + 1;
  while (index < text.length && text.charAt(index) !== '"') index += text.charAt(index) === '\\' ? 2 : 1;
  return index + 1;
}
