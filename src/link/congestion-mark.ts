/** What a router does in place of a drop: RFC 3168 5, on a packet whose sender says that it understands. */
import { checksum, sum } from '../wire/checksum.ts';
import { CE, NOT_ECT } from '../wire/ecn.ts';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from '../wire/ethernet.ts';
import type { Packet } from './packet.ts';

/**
 * `before`: bytes before the IP header, of frames.
 * @returns whether the packet is marked now: one that is not ECN-capable stays as it is
 */
export function markCongestion(packet: Packet, before = 0): boolean {
  const { view } = packet.chunk;
  const at = packet.offset + before;
  if (packet.length < before + 20) return false;
  if (before > 0 && !isIp(view.getUint16(at - 2))) return false;
  if (view.getUint8(at) >> 4 === 6) {
    // The traffic class lies across the first two bytes.
    const second = view.getUint8(at + 1);
    if (((second >> 4) & 3) === NOT_ECT) return false;
    view.setUint8(at + 1, second | (CE << 4));
    return true;
  }
  const tos = view.getUint8(at + 1);
  if ((tos & 3) === NOT_ECT) return false;
  view.setUint8(at + 1, tos | CE);
  view.setUint16(at + 10, 0);
  view.setUint16(at + 10, checksum(sum(view, at, (view.getUint8(at) & 0xf) << 2)));
  return true;
}

function isIp(type: number): boolean {
  return type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6;
}
