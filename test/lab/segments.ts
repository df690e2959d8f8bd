/** Segments in bytes, for tests that look at packets. */
import { checksum, pseudoHeaderSum4, sum } from '../../src/wire/checksum.ts';
import { PROTOCOL_TCP, writeIpv4 } from '../../src/wire/ipv4.ts';
import { setTcpChecksum, writeTcpHeader } from '../../src/wire/tcp.ts';

export interface SegmentFields {
  /** Last byte of 10.9.0.x, and the port. Default: from 1:40000 to 2:80. */
  readonly from?: readonly [number, number];
  readonly to?: readonly [number, number];
  readonly seq: number;
  readonly ack?: number;
  readonly flags: number;
  readonly window?: number;
  /** Writes options from `offset` on, returns where they end (a multiple of 4 bytes on). */
  readonly options?: (view: DataView, offset: number) => number;
  readonly payload?: string | number;
}

/** An IPv4 packet with right checksums. */
export function segment(fields: SegmentFields): Uint8Array {
  const { from = [1, 40000], to = [2, 80], seq, ack = 0, flags, window = 0xffff, options, payload = '' } = fields;
  const data = typeof payload === 'number' ? new Uint8Array(payload) : new TextEncoder().encode(payload);
  const bytes = new Uint8Array(80 + data.length);
  const view = new DataView(bytes.buffer);
  const end = options?.(view, 40) ?? 40;
  bytes.set(data, end);
  const [source, destination] = [0x0a090000 + from[0], 0x0a090000 + to[0]];
  const total = end + data.length;
  writeIpv4(view, 0, total, 0, 0, true, 64, PROTOCOL_TCP, source, destination);
  writeTcpHeader(view, 20, from[1], to[1], seq, ack, flags, window, 0, end - 20);
  const pseudo = pseudoHeaderSum4(source, destination, PROTOCOL_TCP) + (total - 20);
  setTcpChecksum(view, 20, checksum(sum(view, 20, total - 20, pseudo)));
  return bytes.slice(0, total);
}
