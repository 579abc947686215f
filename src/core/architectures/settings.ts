/** How a descriptor points into config.json: keys with their spellings, flags, numbers and rules over layers. */

/** A key of config.json with its accepted spellings, first match wins (transformers 4 and 5 spell some differently). */
export type ConfigKey = readonly [string, ...string[]];

/** A number of config.json, or `fallback` where the key is absent; without key it is fixed. */
export interface NumberSetting {
  readonly key: ConfigKey | null;
  readonly fallback: number;
}

/** A switch: fixed, or a boolean of config.json with its value when absent. */
export type Flag = boolean | { readonly key: ConfigKey; readonly fallback: boolean };

/** Layers that something applies to: every condition given must hold. `{}` is all layers. */
export interface LayerRule {
  /** First layer; 0 when the key is absent. */
  readonly from?: ConfigKey;
  /** Last layer; the model's last when the key is absent or −1. */
  readonly to?: ConfigKey;
  /** Layers with (layer + offset) mod step = 0; every layer when the key is absent. */
  readonly every?: { readonly step: ConfigKey; readonly offset: 0 | 1; readonly fallback?: number };
  /** A list of layers that are left out. */
  readonly except?: ConfigKey;
  /** A list of the layers themselves, which when present decides alone. */
  readonly only?: ConfigKey;
  /** A list of names (or a string, a letter a layer) that when present decides alone: layers of one of `values`. */
  readonly types?: { readonly key: ConfigKey; readonly values: readonly string[] };
}

/** Fixed number. */
export function fixed(value: number): NumberSetting {
  return { key: null, fallback: value };
}
