/** Which sockets may have a port together: every pair of ways to be on it, played on whatever has sockets. */
import type { TestSocket } from '../../src/packetdrill/target.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOL_SOCKET,
} from '../../src/socket/constants.ts';
import { EADDRINUSE } from '../../src/socket/errno.ts';
import { IPV4_ANY, IPV4_LOOPBACK, IPV6_ANY, IPV6_LOOPBACK, IpAddress } from '../../src/wire/address.ts';

export type Open = (domain: number) => TestSocket;

interface Way {
  readonly domain: number;
  readonly address: IpAddress;
  readonly v6Only?: true;
}

/** How a socket can be on a port, in the order of rows and columns. */
const WAYS: readonly Way[] = [
  { domain: AF_INET, address: IPV4_ANY },
  { domain: AF_INET, address: IPV4_LOOPBACK },
  { domain: AF_INET, address: IpAddress.v4(0x7f000002) },
  { domain: AF_INET6, address: IPV6_ANY },
  { domain: AF_INET6, address: IPV6_ANY, v6Only: true },
  { domain: AF_INET6, address: IPV6_LOOPBACK },
  { domain: AF_INET6, address: IPV4_ANY },
  { domain: AF_INET6, address: IPV4_LOOPBACK },
];

/** Options of the first and of the second socket, and whether the first listens before the second binds. */
export interface Manner {
  readonly first: readonly number[];
  readonly second: readonly number[];
  readonly listensFirst: boolean;
}

export const MANNERS: Readonly<Record<string, Manner>> = {
  'no option': { first: [], second: [], listensFirst: false },
  'SO_REUSEADDR on both, the first bound': { first: [SO_REUSEADDR], second: [SO_REUSEADDR], listensFirst: false },
  'SO_REUSEADDR on both, the first listening': { first: [SO_REUSEADDR], second: [SO_REUSEADDR], listensFirst: true },
  'SO_REUSEADDR on the second': { first: [], second: [SO_REUSEADDR], listensFirst: false },
  'SO_REUSEPORT on both, the first listening': { first: [SO_REUSEPORT], second: [SO_REUSEPORT], listensFirst: true },
  'SO_REUSEPORT on the first': { first: [SO_REUSEPORT], second: [], listensFirst: true },
  'SO_REUSEADDR and SO_REUSEPORT, one each': { first: [SO_REUSEADDR], second: [SO_REUSEPORT], listensFirst: false },
};

const PORT = 8080;

/**
 * One row for each way of the first socket, with a letter for each of the second: `.` both may listen, `b` the second may not bind, `l` it
 * may bind but not listen, `L` then the first may not listen.
 */
export function playConflicts(open: Open, manner: Manner): string[] {
  return WAYS.map((first) => WAYS.map((second) => play(open, first, second, manner)).join(''));
}

function play(open: Open, first: Way, second: Way, manner: Manner): string {
  const one = made(open, first, manner.first);
  const two = made(open, second, manner.second);
  try {
    if (one.bind({ address: first.address, port: PORT }) !== 0) return '?';
    if (manner.listensFirst && one.listen(5) !== 0) return '?';
    const bound = two.bind({ address: second.address, port: PORT });
    if (bound !== 0) return bound === -EADDRINUSE ? 'b' : '?';
    if (!manner.listensFirst && one.listen(5) !== 0) return 'L';
    return two.listen(5) === 0 ? '.' : 'l';
  } finally {
    one.close();
    two.close();
  }
}

function made(open: Open, { domain, v6Only }: Way, options: readonly number[]): TestSocket {
  const socket = open(domain);
  if (v6Only === true) socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1);
  for (const option of options) socket.setsockopt(SOL_SOCKET, option, 1);
  return socket;
}
