import type { ConfigKey } from '../architectures/settings.ts';
import { isJsonObject, type Json, type ReadonlyJsonObject } from '../base/json.ts';
import { ConfigReader } from '../checkpoint/config-reader.ts';
import { ropeObject } from '../checkpoint/rope-config.ts';
import { KEYS, type KeyTopic } from './key-vocabulary.ts';
import type { Evidence } from './proposal.ts';

/** A key of config.json that was found, with the number it holds. */
export interface NumberFound {
  readonly name: string;
  readonly value: number;
}

function shortJson(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}

/** The number of a value, or of a list whose entries (one a layer) all agree. */
function numberIn(value: Json | undefined): number | undefined {
  const [first, ...rest] = Array.isArray(value) ? value : [value];
  return typeof first === 'number' && rest.every((other) => other === first) ? first : undefined;
}

/** config.json as the inspector reads it: the language model's section first, then the top. */
export class ConfigFacts {
  readonly json: ReadonlyJsonObject;
  readonly section: string | null;
  readonly reader: ConfigReader;
  /** Whether peculiar keys may stand for the habits of a line of models. */
  readonly lineHabits: boolean;

  constructor(json: ReadonlyJsonObject, lineHabits = true) {
    this.json = json;
    this.lineHabits = lineHabits;
    this.section = sectionOf(json);
    const reader = ConfigReader.of(json, this.section);
    // Rotary keys lie in an object of their own (transformers 5); nothing else is spelt like them.
    this.reader = reader.within(ropeObject(reader));
  }

  value(name: string): Json | undefined {
    return this.reader.value([name]);
  }

  /** Whether config.json has the key at all, null included. */
  has(name: string): boolean {
    const inner = this.section === null ? undefined : this.json[this.section];
    return (
      Object.hasOwn(this.json, name) ||
      (isJsonObject(inner) && Object.hasOwn(inner, name)) ||
      this.value(name) !== undefined
    );
  }

  number(name: string): number | undefined {
    return numberIn(this.value(name));
  }

  /** Spellings of a topic that config.json has, the commonest first; with `nullToo` those that hold null as well. */
  present(topic: KeyTopic, nullToo = false): readonly string[] {
    return KEYS[topic].filter((name) => (nullToo ? this.has(name) : this.value(name) !== undefined));
  }

  numbers(topic: KeyTopic): readonly NumberFound[] {
    return KEYS[topic].flatMap((name) => {
      const value = this.number(name);
      return value === undefined ? [] : [{ name, value }];
    });
  }

  /** Every whole number of config.json, for keys of unknown spelling. */
  integers(): readonly NumberFound[] {
    return [...new Set(this.#members().map(([name]) => name))].flatMap((name) => {
      const value = this.number(name);
      return value !== undefined && Number.isSafeInteger(value) ? [{ name, value }] : [];
    });
  }

  /** Members that name a kind for each layer: a list of names, or a text with a letter a layer. */
  kindsByLayer(layers: number): readonly { readonly name: string; readonly kinds: readonly string[] }[] {
    return this.#members().flatMap(([name, value]) => {
      if (typeof value === 'string') {
        const kinds = /pattern|layer|type/.test(name) ? [...value] : [];
        return kinds.length === layers ? [{ name, kinds }] : [];
      }
      const kinds = Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
      return kinds.length === layers ? [{ name, kinds }] : [];
    });
  }

  /** Names of members that hold a list of numbers. */
  numberLists(): readonly string[] {
    return this.#members().flatMap(([name, value]) =>
      Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'number') ? [name] : [],
    );
  }

  #members(): readonly (readonly [string, Json])[] {
    const inner = this.section === null ? undefined : this.json[this.section];
    return [...(isJsonObject(inner) ? Object.entries(inner) : []), ...Object.entries(this.json)];
  }

  /** Every member that holds something: at the top, and in the language model's section where there is one. */
  names(): readonly string[] {
    const section = this.section === null ? [] : [this.section];
    return [
      ...new Set(this.#members().flatMap(([name, value]) => (value === null || section.includes(name) ? [] : [name]))),
    ];
  }

  evidence(name: string): Evidence {
    const place = this.section !== null && isJsonObject(this.json[this.section]) ? this.section : undefined;
    const inner = place === undefined ? undefined : this.json[place];
    const nested = isJsonObject(inner) && Object.hasOwn(inner, name);
    const value = this.value(name) ?? (this.has(name) ? null : undefined);
    const shown = value === undefined ? 'absent' : shortJson(value);
    return { kind: 'config', text: `config.json: ${nested ? `${place}.` : ''}${name} = ${shown}` };
  }
}

/** Names found, as a key with its spellings; `fallback` where there is none. */
export function keyOf(names: readonly string[], fallback: ConfigKey): ConfigKey {
  const [first, ...rest] = names;
  return first === undefined ? fallback : [first, ...rest];
}

/** The member that holds the language model's keys, where they are not at the top. */
function sectionOf(json: ReadonlyJsonObject): string | null {
  const holds = (object: ReadonlyJsonObject): boolean =>
    KEYS.experts.some((name) => Object.hasOwn(object, name)) &&
    KEYS.hiddenSize.some((name) => Object.hasOwn(object, name));
  if (holds(json)) return null;
  const nested = Object.entries(json).filter(([, value]) => isJsonObject(value) && holds(value));
  return nested.find(([name]) => /text|language|llm/.test(name))?.[0] ?? nested[0]?.[0] ?? null;
}
