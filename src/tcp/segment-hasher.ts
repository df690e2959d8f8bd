/**
 * The keyed hashes of signed segments, which the core does not bring along: an entry point supplies them (`tunstack/node` from
 * `node:crypto`). Synchronous: a segment is judged before anything else looks at it.
 */
export interface SegmentHasher {
  /** MD5 (RFC 1321) of the parts, one behind the other. @returns 16 bytes */
  md5(parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC-SHA-1 (RFC 2104); a key of any length. @returns 20 bytes */
  hmacSha1(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array;
  /** AES-CMAC (RFC 4493); `key` has 16 bytes. @returns 16 bytes */
  aesCmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array;
}
