/** Calls on sockets of TCP of both families, drawn by chance, played on whatever has sockets: what they return is written down, to be compared. */
import type { TestSocket } from '../../src/packetdrill/target.ts';
import {
  AF_INET,
  AF_INET6,
  IP_BIND_ADDRESS_NO_PORT,
  IP_FREEBIND,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_ADDRFORM,
  IPV6_V6ONLY,
  POLLHUP,
  POLLRDHUP,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_ERROR,
  SO_LINGER,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import { errnoName } from '../../src/socket/errno.ts';
import type { SocketAddress } from '../../src/socket/socket-address.ts';
import { seededRandom } from '../../src/time/random.ts';
import { IpAddress } from '../../src/wire/address.ts';

export type AnyStream = TestSocket;

const ADDRESSES = [
  '0.0.0.0',
  '127.0.0.1',
  '127.0.0.2',
  '::',
  '::1',
  '::',
  '127.0.0.1',
  '192.0.2.1',
  '2001:db8::1',
  'fe80::1',
];
const OPTIONS: readonly (readonly [level: number, option: number, values: readonly number[]])[] = [
  [SOL_SOCKET, SO_REUSEADDR, [0, 1, 1]],
  [SOL_SOCKET, SO_REUSEPORT, [0, 1, 1]],
  [IPPROTO_IPV6, IPV6_V6ONLY, [0, 1]],
  [IPPROTO_IPV6, IPV6_ADDRFORM, [AF_INET, AF_INET6]],
  [IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, [0, 1]],
  [IPPROTO_IP, IP_FREEBIND, [0, 1]],
];

interface Held {
  readonly domain: number;
  socket: AnyStream;
}

/**
 * @param open a socket of a domain
 * @param settle lets what was sent arrive
 * @returns a line for each call: what it was, and what it gave
 */
export async function playStreams(
  open: (domain: number) => AnyStream,
  settle: () => Promise<void>,
  seed: number,
  calls: number,
): Promise<string[]> {
  const random = seededRandom(`streams ${seed}`);
  // Of one's own: what a connection leaves behind (TIME-WAIT) is not to be in the next play's way.
  const first = 2000 + ((2 * seed) % 30_000);
  const ports = [0, first, first, first + 1];
  const below = (count: number) => random.uint32() % count;
  const of = <T>(list: readonly T[]) => list[below(list.length)] as T;
  const fresh = (domain: number) => withoutTimeWait(open(domain));
  const sockets: Held[] = [AF_INET, AF_INET6, AF_INET, AF_INET6, AF_INET6].map((domain) => ({
    domain,
    socket: fresh(domain),
  }));
  const lines: string[] = [];
  for (let i = 0; i < calls; i++) {
    const at = below(sockets.length);
    const held = sockets[at] as Held;
    renew(held, fresh);
    const to: SocketAddress = { address: addressFor(held.domain, of(ADDRESSES)), port: of(ports) };
    const [level, option, values] = of(OPTIONS);
    const value = of(values);
    const where = `${to.address} ${to.port}`;
    const { socket } = held;
    // POSIX has EOPNOTSUPP for a listener that is to connect, Linux EISCONN, and what disconnects ends it.
    const listens = socket.getsockopt(SOL_SOCKET, SO_ACCEPTCONN) === 1;
    const [what, result] = ((): readonly [string, unknown] => {
      switch (below(18)) {
        case 0:
          socket.close();
          held.socket = fresh(held.domain);
          return ['again', 0];
        case 1:
        case 2:
        case 3:
          return [`bind ${where}`, socket.bind(to)];
        case 4:
        case 5:
          return ['listen', socket.listen(4)];
        case 6:
        case 7:
        case 8:
          return [`connect ${where}`, listens ? 0 : socket.connect(to)];
        case 9:
        case 10:
          return ['accept', accepted(socket, sockets, below)];
        case 11:
          return ['disconnect', listens ? 0 : socket.disconnect()];
        case 12:
          return ['send', socket.send(new Uint8Array(10))];
        case 13:
          return ['recv', socket.recv(new Uint8Array(100))];
        case 14: {
          const how = of([SHUT_RD, SHUT_WR, SHUT_RDWR]);
          // Of what is not connected Linux remembers it, to no use.
          return [`shutdown ${how}`, typeof socket.getpeername() === 'number' ? 0 : socket.shutdown(how)];
        }
        default:
          return [`set ${level} ${option} ${value}`, socket.setsockopt(level, option, value)];
      }
    })();
    await settle();
    lines.push(`${at} ${held.domain === AF_INET ? 4 : 6}: ${what} = ${shown(result)}${state(held.socket)}`);
  }
  for (const { socket } of sockets) socket.close();
  await settle();
  return lines;
}

/** The accepted socket takes the place of one of the others, which is closed. */
function accepted(from: AnyStream, sockets: Held[], below: (count: number) => number): number | string {
  const made = from.accept();
  if (typeof made === 'number') return made;
  const place = sockets[below(sockets.length)] as Held;
  const domain = made.getsockopt(SOL_SOCKET, SO_DOMAIN);
  if (place.socket !== from && place.domain === domain) {
    place.socket.close();
    place.socket = made;
  } else made.close();
  return `from ${domain}`;
}

/** Connections end with a RST, so that none of them is in the way of the next. */
function withoutTimeWait(socket: AnyStream): AnyStream {
  socket.setsockopt(SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 0 });
  return socket;
}

/** What is left of a connection that failed, or ended, can be bound anew on Linux: it makes place for another. */
function renew(held: Held, fresh: (domain: number) => AnyStream): void {
  const { socket } = held;
  const ended = (socket.poll() & (POLLHUP | POLLRDHUP)) === (POLLHUP | POLLRDHUP);
  if (!ended && socket.getsockopt(SOL_SOCKET, SO_ERROR) === 0) return;
  socket.close();
  held.socket = fresh(held.domain);
}

function state(socket: AnyStream): string {
  const error = shown(socket.getsockopt(SOL_SOCKET, SO_ERROR));
  const names = `${name(socket.getsockname())} ${name(socket.getpeername())}`;
  return `, poll 0x${socket.poll().toString(16)}, error ${error}, ${names}`;
}

/** Linux knows no address of IPv6 in AF_INET's structure. */
function addressFor(domain: number, text: string): IpAddress {
  const address = IpAddress.parse(text) as IpAddress;
  return domain === AF_INET && address.family === 6 ? IpAddress.v4(0x7f000001) : address;
}

function shown(result: unknown): string {
  return typeof result === 'number' && result < 0 ? errnoName(-result) : String(result);
}

/** Which port is free is chance. */
function name(at: SocketAddress | number): string {
  if (typeof at === 'number') return shown(at);
  return `${at.address}:${at.port >= 32_768 ? 'some' : at.port}`;
}
