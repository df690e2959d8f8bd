/** Fast Open with wire-peer.ts: listeners that take SYNs with data, and sockets that send them. */
import { IPPROTO_TCP, MSG_FASTOPEN, TCP_FASTOPEN } from '../../src/socket/constants.ts';
import type { Socket } from '../../src/socket/socket.ts';
import type { TcpConfig } from '../../src/tcp/config.ts';
import { cookieFor, type FastOpenKeys, keysFromText } from '../../src/tcp/fast-open-cookie.ts';
import { bytesOf, CLIENT, DUT, filler, listening, PEER, SERVICE, type Seen, WirePeer } from './wire-peer.ts';

export const KEY = 'a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4';
/** What a server gave, for all that it matters. */
export const LEARNT = 'abcd1234abcd1234';

/** The cookie of the peer, in hexadecimal. */
export function cookieOf(key: string = KEY): string {
  const { primary } = keysFromText(key) as FastOpenKeys;
  return Buffer.from(cookieFor(primary, PEER, DUT)).toString('hex');
}

/** A DUT that listens, with TCP_FASTOPEN. */
export function fastListener(most = 2, sysctl: Partial<TcpConfig> = {}): WirePeer {
  return listening({
    sysctl: { tcp_fastopen: 3, tcp_fastopen_key: KEY, ...sysctl },
    setup: (socket) => void socket.setsockopt(IPPROTO_TCP, TCP_FASTOPEN, most),
  });
}

/** The peer's SYN with a cookie and data; the DUT's SYN-ACK acknowledges both. */
export function fastSyn(t: WirePeer, data: string, from: number = t.peerPort): Seen {
  t.inject({ seq: 0, flags: 'S', data, options: { mss: 1460, fo: cookieOf() }, from });
  return t.expect({ seq: 0, ack: 1 + data.length, flags: 'SA', to: from });
}

/** A DUT that connects; no server is known to it yet. */
export function fastClient(sysctl: Partial<TcpConfig> = {}): WirePeer {
  return new WirePeer({ sysctl: { tcp_timestamps: false, ...sysctl } });
}

/** The DUT's sendto() with MSG_FASTOPEN, from a port of its own. @returns the socket and what sendto gave */
export function sendFast(
  t: WirePeer,
  data: string | number,
  port: number = CLIENT,
): { socket: Socket; result: number } {
  const socket = t.newSocket();
  socket.bind({ address: DUT, port });
  [t.dutPort, t.peerPort] = [port, SERVICE];
  const bytes = typeof data === 'number' ? filler(data) : bytesOf(data);
  const result = socket.send(bytes, MSG_FASTOPEN, { address: PEER, port: SERVICE });
  return { socket, result };
}

/** The DUT asks the peer for a cookie, gets it, and the connection ends. */
export function learnCookie(t: WirePeer, mss = 1460, cookie: string = LEARNT): void {
  const { socket } = sendFast(t, '', CLIENT - 1);
  t.expect({ flags: 'S', length: 0, options: { fo: '' } });
  t.inject({ seq: 0, ack: 1, flags: 'SA', options: { mss, sackOk: true, fo: cookie } });
  t.expect({ seq: 1, ack: 1, flags: 'A' });
  t.inject({ seq: 1, ack: 1, flags: 'R' });
  socket.close();
  t.expectNothing();
}
