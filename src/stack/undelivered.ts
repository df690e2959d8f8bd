/** Packets that were forwarded, and whose next hop is not there: RFC 1812 5.2.7.1, RFC 4861 7.2.2. */
import { InboundPacket, readPacket } from '../ip/inbound.ts';
import type { Packet } from '../link/packet.ts';
import { OK } from '../wire/reasons.ts';
import { reportUnreachable } from './icmp-reports.ts';
import type { Interface } from './interface.ts';
import type { Stack } from './stack.ts';

const inbound = new InboundPacket();

/** Tells the sender, by whatever way leads to it. `over`: the interface on which nobody answered. */
export function reportUndelivered(stack: Stack, over: Interface, packet: Packet, now: number): void {
  stack.drop('ip-no-neighbour', now);
  if (readPacket(packet, over.index, inbound) !== OK) return;
  const { family, s0, s1, s2, s3 } = inbound;
  const back = stack.network.routes.find(family, s0, s1, s2, s3);
  if (back === undefined || back.rejection !== undefined) return;
  reportUnreachable(stack, back.interface, inbound, 'address', now);
}
