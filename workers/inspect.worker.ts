import { expose } from 'comlink';
import { InspectService } from './inspect-api.ts';
import { openSource } from './open-source.ts';
import { openWasmBackend } from './wasm-backend.ts';

expose(new InspectService({ openSource, openBackend: () => openWasmBackend([]) }));
