import type { ConfigKey, Flag, LayerRule, NumberSetting } from '../architectures/settings.ts';
import { StudioError } from '../base/errors.ts';
import { isJsonObject, type Json, type ReadonlyJsonObject } from '../base/json.ts';

export function refuseConfig(code: string, message: string, nextStep: string, key?: string): StudioError {
  return new StudioError('checkpoint', code, message, { nextStep, details: { file: 'config.json', key: key ?? null } });
}

/** No model has as many layers; a number beyond it is a broken or hostile file. */
const MOST_LAYERS = 10_000;
/** Characters of a value that a message repeats. */
const MOST_CHARACTERS = 120;
const COMPARE = 'Compare config.json with the original repository.';

/** Members of config.json by their spellings, sought in several objects in turn: the first that has one decides. */
export class ConfigReader {
  readonly #objects: readonly ReadonlyJsonObject[];

  private constructor(objects: readonly ReadonlyJsonObject[]) {
    this.#objects = objects;
  }

  /** `section`: name of the member that holds the language model's keys, where there is one. */
  static of(json: ReadonlyJsonObject, section: string | null): ConfigReader {
    const inner = section === null ? undefined : json[section];
    return new ConfigReader(isJsonObject(inner) ? [inner, json] : [json]);
  }

  /** A reader that looks into `object` first. */
  within(object: ReadonlyJsonObject): ConfigReader {
    return new ConfigReader([object, ...this.#objects]);
  }

  /** Every spelling of `key` that the first object with any of them carries, with its value; null counts as absent. */
  spellings(key: ConfigKey): readonly (readonly [string, Json])[] {
    for (const object of this.#objects) {
      const found = key.flatMap((name): (readonly [string, Json])[] => {
        const value = Object.hasOwn(object, name) ? object[name] : undefined;
        return value === undefined || value === null ? [] : [[name, value]];
      });
      if (found.length > 0) return found;
    }
    return [];
  }

  value(key: ConfigKey): Json | undefined {
    return this.spellings(key)[0]?.[1];
  }

  object(key: ConfigKey): ReadonlyJsonObject | undefined {
    const value = this.value(key);
    return isJsonObject(value) ? value : undefined;
  }

  /** @throws StudioError `conflicting-config` when two spellings disagree, `bad-config` when it is no number ≥ 0. */
  number(key: ConfigKey): number | undefined {
    const found = this.spellings(key);
    const [first] = found;
    if (first === undefined) return undefined;
    // A list with one entry a layer (Hunyuan) is a number when all entries agree.
    const values = new Set(found.flatMap(([, value]) => (Array.isArray(value) ? value : [value])));
    if (values.size > 1) {
      const text = found
        .map(([name, value]) => `${name} = ${JSON.stringify(value).slice(0, MOST_CHARACTERS)}`)
        .join(', ');
      throw refuseConfig(
        'conflicting-config',
        found.length > 1
          ? `config.json contradicts itself: ${text}.`
          : `config.json has different numbers under "${first[0]}" for different layers, which the studio cannot prune.`,
        'Correct config.json so that all agree.',
        first[0],
      );
    }
    const [value] = values;
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
      throw refuseConfig('bad-config', `config.json has no usable number under "${first[0]}".`, COMPARE, first[0]);
    }
    return value;
  }

  /** @throws StudioError `bad-config` when there is no whole number of at least `least`. */
  integer(key: ConfigKey, fallback?: number, least = 1): number {
    const value = this.number(key) ?? fallback;
    if (value === undefined || !Number.isSafeInteger(value) || value < least) {
      const kind = least > 0 ? 'positive whole number' : 'whole number';
      throw refuseConfig('bad-config', `config.json has no ${kind} under "${key.join('" or "')}".`, COMPARE, key[0]);
    }
    return value;
  }

  /** A count: a number, or the length of a list or string with one entry a thing. */
  count(key: ConfigKey): number {
    const found = this.spellings(key).map(([, value]) => value);
    const listed = found.find((value) => Array.isArray(value) || typeof value === 'string');
    if (listed !== undefined && !found.some((value) => typeof value === 'number')) {
      const { length } = Array.isArray(listed) || typeof listed === 'string' ? listed : [];
      if (length > 0 && length <= MOST_LAYERS) return length;
    }
    const counts = this.spellings(key).filter(([, value]) => typeof value === 'number');
    const [first] = counts;
    const count = this.integer(first === undefined ? key : [first[0]]);
    if (count <= MOST_LAYERS) return count;
    throw refuseConfig(
      'bad-config',
      `config.json counts ${count} under "${key[0]}", which no model has.`,
      COMPARE,
      key[0],
    );
  }

  setting({ key, fallback }: NumberSetting): number {
    return key === null ? fallback : (this.number(key) ?? fallback);
  }

  /** A boolean, or a number that counts as true unless it is 0. */
  flag(flag: Flag): boolean {
    if (typeof flag === 'boolean') return flag;
    const value = this.value(flag.key);
    return value === undefined ? flag.fallback : value === true || (typeof value === 'number' && value !== 0);
  }

  /** @throws StudioError `bad-config` when it has more entries than any model has layers: it is searched for each layer. */
  list(key: ConfigKey): readonly Json[] | undefined {
    const value = this.value(key);
    if (!Array.isArray(value)) return undefined;
    if (value.length <= MOST_LAYERS) return value;
    throw refuseConfig(
      'bad-config',
      `config.json lists ${value.length} entries under "${key[0] ?? ''}", which no model has.`,
      COMPARE,
      key[0],
    );
  }

  /** Whether `rule` holds for `layer` of a model of `layers` layers. */
  holds(rule: LayerRule, layer: number, layers: number): boolean {
    if (rule.types !== undefined) {
      const types = this.value(rule.types.key);
      const type = typeof types === 'string' ? types[layer] : Array.isArray(types) ? types[layer] : undefined;
      const [key] = rule.types.key;
      if (types !== undefined && type === undefined) {
        throw refuseConfig(
          'bad-config',
          `config.json lists fewer layers under "${key}" than the model has.`,
          COMPARE,
          key,
        );
      }
      if (types !== undefined) return typeof type === 'string' && rule.types.values.includes(type);
    }
    if (rule.only !== undefined) {
      const only = this.list(rule.only);
      if (only !== undefined) return only.includes(layer);
    }
    if (rule.from !== undefined && layer < (this.number(rule.from) ?? 0)) return false;
    if (rule.to !== undefined) {
      const to = this.value(rule.to);
      if (typeof to === 'number' && to >= 0 && layer > Math.min(to, layers - 1)) return false;
    }
    if (rule.every !== undefined) {
      const step = this.integer(rule.every.step, rule.every.fallback ?? 1);
      if ((layer + rule.every.offset) % step !== 0) return false;
    }
    return rule.except === undefined || this.list(rule.except)?.includes(layer) !== true;
  }
}
