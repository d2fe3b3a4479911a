export { openCheckpoint, type Checkpoint, type Contents, type OpenOptions } from './checkpoint.ts';
export { convert, ConversionError, encode, Workspace, type Arrays, type Target } from './convert.ts';
export { CheckpointError } from './errors.ts';
export { blobs } from './files/blobs.ts';
export { directory } from './files/directory.ts';
export type { Files, ReadOptions } from './files/files.ts';
export { folder } from './files/folder.ts';
export { http, type HttpOptions } from './files/http.ts';
export { openFiles, type OpenFilesOptions } from './files/open.ts';
export { gguf } from './gguf/files.ts';
export { readGgufHeader, type GgufHeader } from './gguf/header.ts';
export type { CachedBlob, CachedModel, HubCache, PartialBlob } from './hub/cache.ts';
export { parseHubAddress, type HubAddress } from './hub/address.ts';
export { browserCache } from './hub/browser-cache.ts';
export { defaultCacheFolder, diskCache } from './hub/disk-cache.ts';
export { defaultCache, hub, type HubOptions } from './hub/hub.ts';
export { sha256, type Hash } from './hub/sha256.ts';
export { Shared } from './shared.ts';
export { segmentCache, type SegmentStore } from './hub/segment-cache.ts';
export { f16Bits, halfTable } from './half.ts';
export { readJson, type JsonObject } from './json.ts';
export { readSafetensorsHeader, type SafetensorsHeader } from './safetensors/header.ts';
export { saveCheckpoint, type SavedTensor, type SaveOptions, type TensorData } from './save/save.ts';
export { directorySink, folderSink, memorySink, type Sink } from './save/sink.ts';
export { safetensorsPieces, writeSafetensors, type StoredTensor, type WriteOptions } from './safetensors/write.ts';
export {
  blockOf,
  isPlain,
  storedBytes,
  type Block,
  type BlockDType,
  type PlainDType,
  type StoredDType,
  type TensorInfo,
} from './stored.ts';
export type { Piece, StreamOptions } from './stream.ts';
