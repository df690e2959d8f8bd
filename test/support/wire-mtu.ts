/** For tests with wire-peer.ts: routers that say that a segment was too large, and what the DUT believes then. */
import { IP_MTU, IP_MTU_DISCOVER, IPPROTO_IP, IPPROTO_IPV6, IPV6_MTU } from '../../src/socket/constants.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { MORE_HEADER } from './wire-family.ts';
import type { Seen, WirePeer } from './wire-peer.ts';

/** "Fragmentation needed and DF set" about a segment of the DUT's; `shift` moves the sequence number that it quotes. */
export function tooLarge(t: WirePeer, about: Seen, mtu: number, shift = 0): void {
  const body = about.bytes.slice(0, 28);
  const view = new DataView(body.buffer);
  view.setInt32(24, (view.getInt32(24) + shift) | 0);
  t.injectIcmp({ type: 3, code: 4, rest: mtu, body });
}

/** IP_MTU of the connected socket, as IPv4 counts bytes. */
export function pathMtu(t: WirePeer): number {
  if (t.family === '6') return (t.socket.getsockopt(IPPROTO_IPV6, IPV6_MTU) as number) - MORE_HEADER;
  return t.socket.getsockopt(IPPROTO_IP, IP_MTU) as number;
}

/** A `setup` that chooses how the socket discovers. */
export function discovering(mode: number): (socket: Socket) => void {
  return (socket) => void socket.setsockopt(IPPROTO_IP, IP_MTU_DISCOVER, mode);
}

/** Whether the packet carries DF. */
export function dontFragment({ bytes }: Seen): boolean {
  return ((bytes[6] as number) & 0x40) !== 0;
}

/** Its identification. */
export function identification({ bytes }: Seen): number {
  return ((bytes[4] as number) << 8) | (bytes[5] as number);
}
