/**
 * Writes ONNX ModelProto messages: the protocol buffer wire format of onnx.proto (field numbers as in ONNX 1.21), no
 * more of it than the studio's graphs need. Weights are graph inputs, so models stay a few kilobytes.
 */

export const ElementType = { float32: 1, int32: 6, int64: 7 } as const;
export type ElementTypeName = keyof typeof ElementType;

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'ints'; readonly value: readonly number[] };

export interface NodeSpec {
  readonly operator: string;
  /** '' is ONNX's own domain. */
  readonly domain: string;
  /** '' leaves an optional input out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface ValueSpec {
  readonly name: string;
  readonly type: ElementTypeName;
  /** A number is a fixed size, a string names a size that is known only when the graph runs. */
  readonly shape: readonly (number | string)[];
}

export interface ConstantSpec {
  readonly name: string;
  readonly type: ElementTypeName;
  readonly shape: readonly number[];
  /** Little-endian raw data. */
  readonly bytes: Uint8Array;
}

export interface ModelSpec {
  readonly name: string;
  readonly nodes: readonly NodeSpec[];
  readonly constants: readonly ConstantSpec[];
  readonly inputs: readonly ValueSpec[];
  readonly outputs: readonly ValueSpec[];
}

const IR_VERSION = 10;
const OPSET = 21;
const utf8 = new TextEncoder();

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

class Message {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  #push(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    this.#length += bytes.byteLength;
    return this;
  }

  #varint(value: number): this {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    do {
      const low = Number(rest & 127n);
      rest >>= 7n;
      bytes.push(rest === 0n ? low : low | 128);
    } while (rest !== 0n);
    return this.#push(Uint8Array.from(bytes));
  }

  #key(field: number, wireType: number): this {
    return this.#varint((field << 3) | wireType);
  }

  int(field: number, value: number): this {
    return this.#key(field, VARINT).#varint(value);
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#key(field, FIXED32).#push(bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#key(field, BYTES).#varint(value.byteLength).#push(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, utf8.encode(value));
  }

  packed(field: number, values: readonly number[]): this {
    const content = new Message();
    for (const value of values) content.#varint(value);
    return this.message(field, content);
  }

  message(field: number, value: Message): this {
    this.#key(field, BYTES).#varint(value.#length);
    for (const part of value.#parts) this.#push(part);
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const result = new Uint8Array(this.#length);
    let offset = 0;
    for (const part of this.#parts) {
      result.set(part, offset);
      offset += part.byteLength;
    }
    return result;
  }
}

// AttributeProto: 1 name, 2 f, 3 i, 8 ints, 20 type (1 FLOAT, 2 INT, 7 INTS)
function attributeMessage(name: string, attribute: Attribute): Message {
  const message = new Message().text(1, name);
  switch (attribute.kind) {
    case 'float':
      return message.float(2, attribute.value).int(20, 1);
    case 'int':
      return message.int(3, attribute.value).int(20, 2);
    case 'ints':
      return message.packed(8, attribute.value).int(20, 7);
  }
}

// NodeProto: 1 input, 2 output, 3 name, 4 op_type, 5 attribute, 7 domain
function nodeMessage(node: NodeSpec): Message {
  const message = new Message();
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  message.text(3, node.outputs[0] ?? node.operator).text(4, node.operator);
  for (const [name, attribute] of Object.entries(node.attributes))
    message.message(5, attributeMessage(name, attribute));
  return node.domain === '' ? message : message.text(7, node.domain);
}

// TensorProto: 1 dims, 2 data_type, 8 name, 9 raw_data
function constantMessage(constant: ConstantSpec): Message {
  const message = constant.shape.length === 0 ? new Message() : new Message().packed(1, constant.shape);
  return message.int(2, ElementType[constant.type]).text(8, constant.name).bytes(9, constant.bytes);
}

// ValueInfoProto: 1 name, 2 type { 1 tensor_type { 1 elem_type, 2 shape { 1 dim { 1 dim_value | 2 dim_param } } } }
function valueMessage(value: ValueSpec): Message {
  const shape = new Message();
  for (const size of value.shape) {
    const dimension = new Message();
    shape.message(1, typeof size === 'number' ? dimension.int(1, size) : dimension.text(2, size));
  }
  const tensor = new Message().int(1, ElementType[value.type]).message(2, shape);
  return new Message().text(1, value.name).message(2, new Message().message(1, tensor));
}

/** The model as ONNX bytes (IR 10, opset 21 and the com.microsoft operators of onnxruntime). */
export function encodeModel(model: ModelSpec): Uint8Array<ArrayBuffer> {
  // GraphProto: 1 node, 2 name, 5 initializer, 11 input, 12 output
  const graph = new Message();
  for (const node of model.nodes) graph.message(1, nodeMessage(node));
  graph.text(2, model.name);
  for (const constant of model.constants) graph.message(5, constantMessage(constant));
  for (const input of model.inputs) graph.message(11, valueMessage(input));
  for (const output of model.outputs) graph.message(12, valueMessage(output));
  // ModelProto: 1 ir_version, 2 producer_name, 7 graph, 8 opset_import { 1 domain, 2 version }
  return new Message()
    .int(1, IR_VERSION)
    .text(2, 'reap-studio')
    .message(7, graph)
    .message(8, new Message().text(1, '').int(2, OPSET))
    .message(8, new Message().text(1, 'com.microsoft').int(2, 1))
    .finish();
}
