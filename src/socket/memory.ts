/** EFAULT: what a caller gives that is no memory, or no address of a socket. The kernel finds nothing where such a pointer leads. */
import { isDetached } from '../arguments.ts';
import { IpAddress } from '../wire/address.ts';

/** Bytes, whose memory was not given away. */
export function isMemory(bytes: unknown): boolean {
  return bytes instanceof Uint8Array && !isDetached(bytes);
}

/** A list of such (an iovec). */
export function areMemory(list: unknown): boolean {
  if (!Array.isArray(list)) return false;
  for (let i = 0; i < list.length; i++) if (!isMemory(list[i])) return false;
  return true;
}

/** An address and a port; what they are worth is another question. */
export function isAddress(at: unknown): boolean {
  return typeof at === 'object' && at !== null && (at as { address?: unknown }).address instanceof IpAddress;
}
