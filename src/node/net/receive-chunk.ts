/** Bytes from a socket into memory that is taken when they are there. */
import { Buffer } from 'node:buffer';
import type { Socket } from '../../socket/socket.ts';

const CHUNK = 65_536;
/** Chunks of up to this size are copied out; larger ones are given away with the memory they were received in. */
const COPIED = 16_384;
let scratch = Buffer.allocUnsafeSlow(CHUNK);

/** @returns a buffer that is the caller's alone; 0 at the end of the stream, or -errno */
export function receiveChunk(socket: Socket): Buffer | number {
  const count = socket.recv(scratch);
  if (count <= 0) return count;
  if (count <= COPIED) {
    const copy = Buffer.allocUnsafeSlow(count);
    scratch.copy(copy, 0, 0, count);
    return copy;
  }
  const chunk = scratch.subarray(0, count);
  scratch = Buffer.allocUnsafeSlow(CHUNK);
  return chunk;
}
