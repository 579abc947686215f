import { StudioError } from '../src/core/base/errors.ts';
import type { BackendLimits } from '../src/core/calibration/inference-backend.ts';

export interface OpenedGpu {
  readonly device: GPUDevice;
  /** As the driver names it; often the vendor alone, as "nvidia". */
  readonly name: string;
  /** A CPU that plays a graphics processor: right, but slower than WebAssembly. */
  readonly isSoftware: boolean;
}

const RETRY_INTERVAL = 250;
const MIB = 1024 * 1024;
const FLOAT_BYTES = 4;
/** Hidden states of a block: residual stream, its copy and the experts' input lie on the device together. */
const BLOCK_BYTES = 256 * MIB;

/** A browser's GPU process may need some seconds, or a restart, before it offers an adapter: ask until `patience` ms are over. */
async function requestAdapter(gpu: GPU, patience: number): Promise<GPUAdapter | null> {
  const end = performance.now() + patience;
  for (;;) {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (adapter !== null || performance.now() >= end) return adapter;
    await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL));
  }
}

function isSoftwareAdapter({ info }: GPUAdapter): boolean {
  return (
    info.isFallbackAdapter ||
    /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${info.architecture} ${info.device} ${info.description}`)
  );
}

function unavailable(message: string, cause?: unknown): StudioError {
  return new StudioError('backend', 'webgpu-unavailable', message, {
    nextStep: 'Calibrate with WebAssembly, or switch hardware acceleration on in the browser and start it again.',
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * Opens the graphics processor with its own largest buffers. On a software adapter the `subgroups` feature stays off:
 * with it, onnxruntime's attention is wrong there from 32 tokens on.
 * @param patience how long to wait for an adapter, in milliseconds.
 * @throws StudioError family `backend` code `webgpu-unavailable`.
 */
export async function openGpu(patience: number): Promise<OpenedGpu> {
  if (!('gpu' in navigator)) throw unavailable('This browser has no WebGPU.');
  const adapter = await requestAdapter(navigator.gpu, patience);
  if (adapter === null) throw unavailable('The browser offers no graphics processor to WebGPU.');
  const { limits, info } = adapter;
  const isSoftware = isSoftwareAdapter(adapter);
  const wanted: GPUFeatureName[] = isSoftware ? [] : ['subgroups'];
  try {
    const device = await adapter.requestDevice({
      requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
      requiredLimits: {
        maxBufferSize: limits.maxBufferSize,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      },
    });
    const name =
      [info.vendor, info.architecture || info.device].filter((part) => part !== '').join(' ') || 'an unnamed adapter';
    return { device, name, isSoftware };
  } catch (cause) {
    throw unavailable('The graphics processor refused to open.', cause);
  }
}

/** How work is cut for a device: no tensor is larger than what it binds. `hiddenSize` is the model's. */
export function gpuLimits({ limits }: Pick<GPUDevice, 'limits'>, hiddenSize: number): BackendLimits {
  const rowBytes = hiddenSize * FLOAT_BYTES;
  const largest = Math.min(limits.maxStorageBufferBindingSize, BLOCK_BYTES);
  return {
    groupWeightBytes: 16 * MIB,
    groupRows: Math.max(1, Math.min(65_536, Math.floor(largest / rowBytes))),
    tensorBytes: largest,
    attentionTokens: 8192,
    fusedAttention: true,
    scoreBytes: Math.min(largest, 64 * MIB),
    blockTokens: Math.max(1, Math.floor(largest / rowBytes)),
    groupsAhead: 1,
    runsBlock: false,
  };
}
