import { StudioError } from '../src/core/base/errors.ts';

export interface OpenedGpu {
  readonly device: GPUDevice;
  /** As the driver names it; often the vendor alone, as "nvidia". */
  readonly name: string;
  /** A CPU that plays a graphics processor: right, but slower than WebAssembly. */
  readonly isSoftware: boolean;
}

const RETRY_INTERVAL = 250;

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
