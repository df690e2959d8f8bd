/** What calls on sockets of both families come to, played on whatever has sockets: a host with 10.9.0.2/24, 2001:db8::2/64 and fe80::2/64 on interface 2. */
import type { TestSocket } from '../../src/packetdrill/target.ts';
import * as constants from '../../src/socket/constants.ts';
import { EINPROGRESS, errnoName } from '../../src/socket/errno.ts';
import { IpAddress } from '../../src/wire/address.ts';
import type { Open } from './port-conflicts.ts';

const { AF_INET, AF_INET6, IPPROTO_IP, IPPROTO_IPV6, SOL_SOCKET } = constants;

/** `fe80::2%2`, `::ffff:0.0.0.0`. */
export function parse(text: string): IpAddress {
  const [address = '', zone = '0'] = text.split('%');
  return (IpAddress.parse(address) as IpAddress).withZone(Number(zone));
}

function outcome(result: unknown): string {
  return typeof result === 'number' && result < 0 ? errnoName(-result) : String(result);
}

/** Where a socket is: mapped addresses and IPv4's are one thing here. */
function nameOf(socket: TestSocket): string {
  const name = socket.getsockname();
  return typeof name === 'number' ? errnoName(-name) : name.address.toString();
}

export const TARGETS: readonly string[] = [
  '::',
  '::1',
  '0.0.0.0',
  '127.0.0.1',
  '10.9.0.2',
  '10.9.0.9',
  '2001:db8::2',
  '2001:db8::9',
  '2001:db9::9',
  'ff02::1',
  'ff0e::1',
  'fe80::2',
  'fe80::2%2',
  'fe80::9%2',
  'fe80::9%1',
  'fe80::9%99',
];
const KINDS = ['AF_INET', 'AF_INET6', 'AF_INET6 with IPV6_V6ONLY'] as const;

function made(open: Open, kind: (typeof KINDS)[number]): TestSocket {
  const socket = open(kind === 'AF_INET' ? AF_INET : AF_INET6);
  if (kind.endsWith('V6ONLY')) socket.setsockopt(IPPROTO_IPV6, constants.IPV6_V6ONLY, 1);
  return socket;
}

function withSocket(socket: TestSocket, use: (socket: TestSocket) => string): string {
  try {
    return use(socket);
  } finally {
    socket.close();
  }
}

/** bind(2) to each address, and what IPV6_V6ONLY is then. */
export function bindFacts(open: Open): Record<string, Record<string, string>> {
  return Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      Object.fromEntries(
        TARGETS.map((target) => {
          const fact = withSocket(made(open, kind), (socket) => {
            const result = socket.bind({ address: parse(target), port: 0 });
            if (result < 0 || kind === 'AF_INET') return outcome(result);
            return `${nameOf(socket)}, ${socket.getsockopt(IPPROTO_IPV6, constants.IPV6_V6ONLY)}`;
          });
          return [target, fact];
        }),
      ),
    ]),
  );
}

/** connect(2) to each address: from where, or why not. */
export function connectFacts(open: Open): Record<string, Record<string, string>> {
  return Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      Object.fromEntries(
        TARGETS.map((target) => [target, withSocket(made(open, kind), (socket) => connected(socket, target))]),
      ),
    ]),
  );
}

function connected(socket: TestSocket, target: string): string {
  const result = socket.connect({ address: parse(target), port: 7 });
  return result === -EINPROGRESS || result === 0 ? nameOf(socket) : outcome(result);
}

/** connect(2) of a socket of AF_INET6 that is bound. */
export function boundFacts(open: Open): Record<string, Record<string, string>> {
  const places = ['::', '::1', '2001:db8::2', '0.0.0.0', '127.0.0.1', '10.9.0.2', 'fe80::2%2'];
  const targets = ['::', '::1', '127.0.0.1', '0.0.0.0', '10.9.0.9', '2001:db8::9', 'fe80::9', 'fe80::9%2', 'fe80::9%1'];
  return Object.fromEntries(
    places.map((place) => [
      place,
      Object.fromEntries(
        targets.map((target) => {
          const fact = withSocket(open(AF_INET6), (socket) => {
            socket.bind({ address: parse(place), port: 0 });
            return connected(socket, target);
          });
          return [target, fact];
        }),
      ),
    ]),
  );
}

const VALUES = [-2, -1, 0, 1, 2, 5, 6, 255, 256];
const OPTIONS: readonly (readonly [level: number, name: string])[] = [
  [IPPROTO_IPV6, 'IPV6_V6ONLY'],
  [IPPROTO_IPV6, 'IPV6_UNICAST_HOPS'],
  [IPPROTO_IPV6, 'IPV6_TCLASS'],
  [IPPROTO_IPV6, 'IPV6_MTU_DISCOVER'],
  [IPPROTO_IPV6, 'IPV6_AUTOFLOWLABEL'],
  [IPPROTO_IPV6, 'IPV6_FREEBIND'],
  [IPPROTO_IPV6, 'IPV6_ADDRFORM'],
  [IPPROTO_IP, 'IP_TOS'],
  [IPPROTO_IP, 'IP_TTL'],
  [IPPROTO_IP, 'IP_MTU_DISCOVER'],
  [IPPROTO_IPV6, 'IPV6_TRANSPARENT'],
  [IPPROTO_IP, 'IP_FREEBIND'],
  [IPPROTO_IP, 'IP_TRANSPARENT'],
  [IPPROTO_IP, 'IP_BIND_ADDRESS_NO_PORT'],
  [SOL_SOCKET, 'SO_BINDTOIFINDEX'],
];

/** Each option, untouched and set to values of interest: `result/value`, one behind the other. */
export function optionFacts(open: Open): Record<string, string> {
  const number = (name: string) => (constants as unknown as Record<string, number>)[name] as number;
  return Object.fromEntries(
    [AF_INET, AF_INET6].flatMap((domain) =>
      OPTIONS.map(([level, name]) => {
        const get = (socket: TestSocket) => outcome(socket.getsockopt(level, number(name)));
        const facts = VALUES.map((value) =>
          withSocket(open(domain), (socket) => {
            const result = outcome(socket.setsockopt(level, number(name), value));
            return result === '0' ? get(socket) : result;
          }),
        );
        return [`${name}, ${domain}`, [withSocket(open(domain), get), ...facts].join(' ')];
      }),
    ),
  );
}
