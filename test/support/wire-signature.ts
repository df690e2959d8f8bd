/**
 * TCP-MD5 and TCP-AO for wire-peer.ts: written from RFC 2385 and RFC 5925 for whole packets, apart from what the stack has. Packets
 * have an IP header of 20 bytes.
 */
import { createHash, createHmac } from 'node:crypto';
import { nodeHasher } from '../../src/node/segment-hasher.ts';
import { FAMILY, type Family, signedAddresses } from './wire-family.ts';

/** A key that both sides have; the IDs are the DUT's. */
export interface AoSpec {
  readonly key: string;
  /** KeyID of what the DUT sends, and of what it receives. */
  readonly sndid: number;
  readonly rcvid: number;
  /** Default: HMAC-SHA-1. */
  readonly cmac?: boolean;
  /** Default: 12. */
  readonly macLength?: number;
  readonly excludeOptions?: boolean;
}

/** How a segment is signed. */
export type Signature =
  | { readonly md5: string; readonly family?: Family }
  | {
      readonly ao: AoSpec;
      readonly keyId: number;
      readonly rnextKeyId: number;
      /** Initial numbers of who sends and of who receives. */
      readonly isns: readonly [number, number];
      readonly sne: number;
      readonly family?: Family;
    };

/** The option as it lies first in the header, the digest zero. */
export function signatureOption(signature: Signature): number[] {
  if ('md5' in signature) return [1, 1, 19, 18, ...Array<number>(16).fill(0)];
  const { macLength = 12 } = signature.ao;
  const option = [29, 4 + macLength, signature.keyId, signature.rnextKeyId, ...Array<number>(macLength).fill(0)];
  while (option.length % 4 !== 0) option.push(1);
  return option;
}

/** Puts the digest where `signatureOption` left room. */
export function signPacket(packet: Uint8Array, signature: Signature): void {
  packet.set('md5' in signature ? md5Of(packet, signature) : aoMacOf(packet, signature), 44);
}

/** The digest or MAC of a packet that is signed so, whatever it has in its place. */
export function digestOf(packet: Uint8Array, signature: Signature): string {
  return Buffer.from('md5' in signature ? md5Of(packet, signature) : aoMacOf(packet, signature)).toString('hex');
}

/** Addresses, protocol and length; the segment with a checksum of zero. */
function split(
  packet: Uint8Array,
  family: Family = FAMILY,
): { addresses: Uint8Array; pseudo: Buffer; tcp: Buffer; headerLength: number } {
  const tcp = Buffer.from(packet.subarray(20));
  tcp.writeUInt16BE(0, 16);
  const addresses = signedAddresses(packet, family);
  const [high, low] = [tcp.length >> 8, tcp.length & 255];
  const pseudo = Buffer.concat([
    addresses,
    Buffer.from(family === '6' ? [0, 0, high, low, 0, 0, 0, 6] : [0, 6, high, low]),
  ]);
  return { addresses, pseudo, tcp, headerLength: ((tcp[12] as number) >> 4) * 4 };
}

/** RFC 2385 2.0. */
function md5Of(packet: Uint8Array, { md5: key, family }: Extract<Signature, { md5: string }>): Buffer {
  const { pseudo, tcp, headerLength } = split(packet, family);
  const parts = [pseudo, tcp.subarray(0, 20), tcp.subarray(headerLength), Buffer.from(key)];
  return createHash('md5').update(Buffer.concat(parts)).digest();
}

/** RFC 5925 5.1, 5.2; RFC 5926 3.1, 3.2. */
function aoMacOf(packet: Uint8Array, signature: Extract<Signature, { ao: AoSpec }>): Buffer {
  const { ao, isns, sne, family } = signature;
  const { macLength = 12, cmac = false } = ao;
  const { addresses, pseudo, tcp, headerLength } = split(packet, family);
  // The option is the first.
  tcp.fill(0, 24, 24 + macLength);
  const header = ao.excludeOptions === true ? tcp.subarray(0, 24 + macLength) : tcp.subarray(0, headerLength);
  const context = Buffer.concat([addresses, tcp.subarray(0, 4), word(isns[0]), word(isns[1])]);
  const input = Buffer.concat([
    Buffer.from([1]),
    Buffer.from('TCP-AO'),
    context,
    Buffer.from(cmac ? [0, 128] : [0, 160]),
  ]);
  const master = Buffer.from(ao.key);
  const mac = cmac ? cmacOf : hmacOf;
  const traffic = mac(cmac && master.length !== 16 ? cmacOf(Buffer.alloc(16), master) : master, input);
  return mac(traffic, Buffer.concat([word(sne), pseudo, header, tcp.subarray(headerLength)])).subarray(0, macLength);
}

function hmacOf(key: Uint8Array, input: Buffer): Buffer {
  return createHmac('sha1', key).update(input).digest();
}

function cmacOf(key: Uint8Array, input: Buffer): Buffer {
  return Buffer.from(nodeHasher.aesCmac(key, [input]));
}

function word(value: number): Buffer {
  return Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);
}
