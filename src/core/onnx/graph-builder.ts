import {
  type Attribute,
  type ConstantSpec,
  type ElementTypeName,
  encodeModel,
  type NodeSpec,
  type ValueSpec,
} from './model-proto.ts';

type AttributeValue = number | readonly number[] | { readonly float: number };

function attributeOf(value: AttributeValue): Attribute {
  if (typeof value === 'number') return { kind: 'int', value };
  return 'float' in value ? { kind: 'float', value: value.float } : { kind: 'ints', value };
}

/** Collects the nodes of one graph; each call returns the name of the value that it makes. */
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: NodeSpec[] = [];
  readonly #constants: ConstantSpec[] = [];
  readonly #inputs: ValueSpec[] = [];
  readonly #outputs: ValueSpec[] = [];
  #count = 0;

  constructor(name: string) {
    this.#name = name;
  }

  input(name: string, type: ElementTypeName, shape: readonly (number | string)[]): string {
    this.#inputs.push({ name, type, shape });
    return name;
  }

  /** A constant int64 vector: target shapes, axes. */
  ints(values: readonly number[]): string {
    const name = `constant_${this.#count++}`;
    const bytes = new Uint8Array(BigInt64Array.from(values, (value) => BigInt(value)).buffer);
    this.#constants.push({ name, type: 'int64', shape: [values.length], bytes });
    return name;
  }

  /** A constant f32 number. */
  scalar(value: number): string {
    const name = `constant_${this.#count++}`;
    this.#constants.push({ name, type: 'float32', shape: [], bytes: new Uint8Array(Float32Array.of(value).buffer) });
    return name;
  }

  /** A constant f32 vector. */
  floats(values: readonly number[]): string {
    const name = `constant_${this.#count++}`;
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    this.#constants.push({ name, type: 'float32', shape: [values.length], bytes });
    return name;
  }

  /** Adds a node with one output, or with the outputs named. */
  node(
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    options: { readonly domain?: string; readonly outputs?: readonly string[] } = {},
  ): string {
    const outputs = options.outputs ?? [`${operator.toLowerCase()}_${this.#count++}`];
    this.#nodes.push({
      operator,
      domain: options.domain ?? '',
      inputs,
      outputs,
      attributes: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)])),
    });
    return outputs[0] ?? '';
  }

  /** Makes `value` an output of the graph under `name`. */
  output(name: string, value: string, shape: readonly (number | string)[]): void {
    this.node('Identity', [value], {}, { outputs: [name] });
    this.#outputs.push({ name, type: 'float32', shape });
  }

  /** RMS norm over the last axis: x / √(mean x² + ε) · scale. */
  rmsNorm(x: string, scale: string, epsilon: number): string {
    return this.node('SimplifiedLayerNormalization', [x, scale], { axis: -1, epsilon: { float: epsilon } });
  }

  /** LayerNorm over the last axis: (x − mean) / √(variance + ε) · scale + bias. */
  layerNorm(x: string, scale: string, bias: string, epsilon: number): string {
    return this.node('LayerNormalization', [x, scale, bias], { axis: -1, epsilon: { float: epsilon } });
  }

  /** Cuts `x` along `axis` into pieces of the sizes given. */
  split(x: string, sizes: readonly number[], axis: number): string[] {
    const outputs = sizes.map(() => `split_${this.#count++}`);
    this.node('Split', [x, this.ints(sizes)], { axis }, { outputs });
    return outputs;
  }

  /** Cuts `x` along `axis` into `count` pieces of like size, the last of them smaller where it does not divide. */
  splitEvenly(x: string, count: number, axis: number): string[] {
    const outputs = Array.from({ length: count }, () => `split_${this.#count++}`);
    this.node('Split', [x], { axis, num_outputs: count }, { outputs });
    return outputs;
  }

  reshape(x: string, dims: readonly number[]): string {
    return this.node('Reshape', [x, this.ints(dims)]);
  }

  /** x [N, in] · weightᵀ (+ bias), with the weight as checkpoints store it: [out, in]. */
  linear(x: string, weight: string, bias?: string): string {
    return this.node('Gemm', bias === undefined ? [x, weight] : [x, weight, bias], { transB: 1 });
  }

  build(): Uint8Array<ArrayBuffer> {
    return encodeModel({
      name: this.#name,
      nodes: this.#nodes,
      constants: this.#constants,
      inputs: this.#inputs,
      outputs: this.#outputs,
    });
  }
}
