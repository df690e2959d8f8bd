/** Calls on sockets of UDP, drawn by chance, played on whatever has sockets: what they return is written down, to be compared. */
import {
  AF_INET,
  AF_INET6,
  IP_MTU_DISCOVER,
  IP_RECVERR,
  IP_TOS,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
  MSG_PEEK,
  MSG_TRUNC,
  SIOCINQ,
  SO_BROADCAST,
  SO_ERROR,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_SNDBUF,
  SO_TYPE,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { errnoName } from '../../src/socket/errno.ts';
import type { SocketAddress } from '../../src/socket/socket-address.ts';
import { seededRandom } from '../../src/time/random.ts';
import { IpAddress } from '../../src/wire/address.ts';
import { pattern } from '../support/pair.ts';

type Calls = Pick<
  DatagramSocket,
  | 'bind'
  | 'close'
  | 'connect'
  | 'disconnect'
  | 'getpeername'
  | 'getsockname'
  | 'ioctl'
  | 'poll'
  | 'recv'
  | 'send'
  | 'setsockopt'
  | 'shutdown'
>;
/** What the kernel's sockets and ours have in common. */
export type AnySocket = Calls & { getsockopt(level: number, option: number): unknown };

const ADDRESSES = ['0.0.0.0', '127.0.0.1', '127.0.0.2', '::', '::1', '192.0.2.1', '2001:db8::1', '255.255.255.255'];
const PORTS = [0, 5001, 5002, 5003];
const OPTIONS: readonly (readonly [level: number, option: number, values: readonly number[]])[] = [
  [SOL_SOCKET, SO_REUSEADDR, [0, 1]],
  [SOL_SOCKET, SO_BROADCAST, [0, 1]],
  [SOL_SOCKET, SO_RCVBUF, [-1, 0, 10_000, 300_000]],
  [SOL_SOCKET, SO_SNDBUF, [-1, 0, 10_000, 300_000]],
  [SOL_SOCKET, SO_TYPE, [1]],
  [IPPROTO_IP, IP_RECVERR, [0, 1, 1]],
  [IPPROTO_IPV6, IPV6_RECVERR, [0, 1, 1]],
  [IPPROTO_IP, IP_TTL, [-1, 0, 1, 255, 256]],
  [IPPROTO_IP, IP_TOS, [0, 3, 255]],
  [IPPROTO_IP, IP_MTU_DISCOVER, [-1, 0, 1, 2, 3, 5, 6]],
  [IPPROTO_IPV6, IPV6_V6ONLY, [0, 1]],
  [IPPROTO_IPV6, IPV6_UNICAST_HOPS, [-2, -1, 0, 7, 256]],
];

/**
 * @param open a socket of a domain
 * @param settle lets what was sent arrive
 * @returns a line for each call: what it was, and what it gave
 */
export async function playDatagrams(
  open: (domain: number) => AnySocket,
  settle: () => Promise<void>,
  seed: number,
  calls: number,
): Promise<string[]> {
  const random = seededRandom(`datagrams ${seed}`);
  const below = (count: number) => random.uint32() % count;
  const of = <T>(list: readonly T[]) => list[below(list.length)] as T;
  const sockets = [AF_INET, AF_INET6, of([AF_INET, AF_INET6]), of([AF_INET, AF_INET6])].map((domain) => ({
    domain,
    socket: open(domain),
  }));
  const lines: string[] = [];
  for (let i = 0; i < calls; i++) {
    const at = below(sockets.length);
    const held = sockets[at] as { domain: number; socket: AnySocket };
    const where = addressFor(held.domain, of(ADDRESSES));
    const port = of(PORTS);
    const to: SocketAddress = { address: where, port };
    const into = new Uint8Array(of([0, 10, 2000]));
    const flags = of([0, 0, 0, MSG_PEEK, MSG_TRUNC]);
    const length = of([0, 1, 100, 1500, 20_000]);
    const [level, option, values] = of(OPTIONS);
    const value = of(values);
    const { socket } = held;
    const [what, result] = ((): readonly [string, unknown] => {
      switch (below(16)) {
        case 0:
          socket.close();
          held.socket = open(held.domain);
          return ['again', 0];
        case 1:
        case 2:
          return [`bind ${where} ${port}`, socket.bind(to)];
        case 3:
        case 4:
          return [`connect ${where} ${port}`, connect(held, to, open)];
        case 5:
          return ['disconnect', socket.disconnect()];
        case 6:
        case 7:
          return [`send ${length}`, socket.send(pattern(length))];
        case 8:
        case 9:
          return [`sendto ${where} ${port} ${length}`, socket.send(pattern(length), 0, to)];
        case 10:
        case 11:
          return [`recv ${into.length} ${flags}`, socket.recv(into, flags)];
        case 12:
          return ['inq', socket.ioctl(SIOCINQ)];
        case 13:
          return [`set ${level} ${option} ${value}`, socket.setsockopt(level, option, value)];
        case 14:
          return [`get ${level} ${option}`, socket.getsockopt(level, option)];
        default:
          return [`shutdown ${value}`, socket.shutdown(value)];
      }
    })();
    await settle();
    const after = held.socket;
    const error = below(8) === 0 ? `, error ${after.getsockopt(SOL_SOCKET, SO_ERROR)}` : '';
    lines.push(
      `${at} ${held.domain === AF_INET ? 4 : 6}: ${what} = ${shown(result)}, poll 0x${after.poll().toString(16)}${error}, ` +
        `${name(after.getsockname())} ${name(after.getpeername())}`,
    );
  }
  for (const { socket } of sockets) socket.close();
  await settle();
  return lines;
}

/** Linux's connected socket sends some of its datagrams to where it failed to connect anew: such a socket makes place for another. */
function connect(
  held: { domain: number; socket: AnySocket },
  to: SocketAddress,
  open: (domain: number) => AnySocket,
): number {
  const result = held.socket.connect(to);
  if (result < 0) {
    held.socket.close();
    held.socket = open(held.domain);
  }
  return result;
}

/** Linux knows no address of IPv6 in AF_INET's structure. */
function addressFor(domain: number, text: string): IpAddress {
  const address = IpAddress.parse(text) as IpAddress;
  return domain === AF_INET && address.family === 6 ? IpAddress.v4(0x7f000003) : address;
}

function shown(result: unknown): string {
  return typeof result === 'number' && result < 0 ? errnoName(-result) : String(result);
}

/** Which port is free is chance. */
function name(at: SocketAddress | number): string {
  if (typeof at === 'number') return shown(at);
  return `${at.address}:${at.port >= 32_768 ? 'some' : at.port}`;
}
