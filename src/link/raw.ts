/**
 * A link over raw sockets: a host lives at an address of the machine's own interface, on chosen ports, without a TUN device.
 *
 * docs/decisions/raw-socket.md says how the kernel is kept from answering, what the package allows, and what it costs.
 */
import { networkInterfaces } from 'node:os';
import { shown, wrongNames } from '../arguments.ts';
import { IpAddress } from '../wire/address.ts';
import { kernelSocket } from './raw-conflicts.ts';
import { PRIVILEGE_ADVICE, RawError, wrongRawArgument } from './raw-error.ts';
import { errorFilter, portFilter } from './raw-filter.ts';
import { type GuardKind, openGuard } from './raw-guard.ts';
import { TCP, UDP } from './raw-inbox.ts';
import { RawLink } from './raw-link.ts';
import { addLocalRoute } from './raw-local-route.ts';
import { RawSocket, rawPackage } from './raw-package.ts';
import { type PortRange, readPorts } from './raw-ports.ts';
import { TunError } from './tun-error.ts';
import { Netlink } from './tun-netlink.ts';
import { type TunSystem, tunSystem } from './tun-system.ts';

export { RawError } from './raw-error.ts';
export type { GuardKind } from './raw-guard.ts';
export type { RawLink, RawStatistics } from './raw-link.ts';

const ICMP = 1;
const ICMPV6 = 58;
const LARGEST_MTU = 65_535;
const DEFAULT_RECEIVE_BUFFER = 4 << 20;
const ALL_PORTS = ['1-65535'];

const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_BINDTODEVICE = 25;
const SO_RCVBUFFORCE = 33;
const SO_MARK = 36;
const IPPROTO_IP = 0;
const IP_HDRINCL = 3;
const IPPROTO_IPV6 = 41;
const IPV6_CHECKSUM = 7;
const IPV6_HDRINCL = 36;
/** Bytes from the transport header to its checksum. */
const CHECKSUM_AT: Readonly<Record<number, number>> = { [TCP]: 16, [UDP]: 6 };

const NAMES: readonly string[] = [
  'address',
  'ports',
  'interface',
  'protocols',
  'guard',
  'receiveBuffer',
] satisfies (keyof RawOptions)[];

export interface RawOptions {
  /** The host's address on this link: one of the machine's own (`192.0.2.7`, `2001:db8::7`), or with `interface` one that the kernel does not have. */
  readonly address: string;
  /**
   * The ports that are the host's, `[80, '61000-61999']`, for what it listens on and what it dials from (`ip_local_port_range` has to lie
   * within). The kernel gets nothing that comes to them. Required with an address that the kernel has; otherwise all by default.
   */
  readonly ports?: readonly (number | string)[];
  /** The interface's name. Given, nothing is received from, or sent to, another. Default: the one that has the address. */
  readonly interface?: string;
  /** What is received beside ICMP errors about these. Default: `['tcp']`. */
  readonly protocols?: readonly ('tcp' | 'udp')[];
  /**
   * How the kernel is kept from answering. `nftables`: it does not see what comes to the ports; gone with the process, however that ends. `iptables`: its
   * RSTs are dropped. `none`: somebody else sees to it. Default: nftables, or iptables where the kernel cannot do that (before Linux 5.12).
   */
  readonly guard?: GuardKind | 'auto';
  /** Room for packets that wait to be read, bytes as the kernel counts them. Default: 4 MiB. */
  readonly receiveBuffer?: number;
}

/** The options, read. */
interface Plan {
  readonly system: TunSystem;
  readonly address: IpAddress;
  readonly ports: readonly PortRange[];
  readonly protocols: readonly number[];
  readonly interfaceName: string;
  readonly isBound: boolean;
  /** The kernel does not have the address. */
  readonly isForeign: boolean;
  readonly guard: GuardKind | 'auto';
  readonly receiveBuffer: number;
}

/**
 * Opens raw sockets at an address, and keeps the kernel from answering what comes to its ports. Close the link to undo that; the process's end does, too.
 * @throws RawError whose `code` is the errno's name (EPERM, EADDRINUSE, EADDRNOTAVAIL, ENODEV, ...), ERR_INVALID_ARG_VALUE for a wrong option,
 *   ERR_DLOPEN_FAILED without the package, ENOTSUP where it cannot be; the message says what to do
 */
export function openRaw(options: RawOptions): RawLink {
  const undo: (() => void)[] = [];
  try {
    return open(readOptions(options), undo);
  } catch (error) {
    undoAll(undo);
    throw error instanceof TunError ? asRawError(error) : error;
  }
}

function open(plan: Plan, undo: (() => void)[]): RawLink {
  const { system, address, ports, protocols, interfaceName } = plan;
  rawPackage();
  const netlink = new Netlink(system);
  undo.push(() => netlink.close());
  const found = netlink.byName(interfaceName);
  if (found === undefined) throw new RawError('ENODEV', `there is no interface ${JSON.stringify(interfaceName)}`);
  refuseConflicts(plan);
  const guard = openGuard(system, { kind: plan.guard, address, ports, protocols });
  undo.push(() => guard.close());
  if (plan.isForeign) undo.push(addLocalRoute(system, found.index, address));
  return new RawLink({
    name: `raw(${address})`,
    address,
    ports,
    guard: guard.kind,
    sockets: openSockets(plan, guard.mark),
    interfaceName,
    readMtu: () => Math.min(netlink.byIndex(found.index).mtu, LARGEST_MTU),
    released: () => undoAll(undo),
  });
}

function refuseConflicts({ address, ports, protocols, isForeign }: Plan): void {
  const names = protocols.map((protocol) => (protocol === TCP ? 'tcp' : 'udp'));
  const socket = isForeign ? undefined : kernelSocket(address, ports, names);
  if (socket === undefined) return;
  throw new RawError(
    'EADDRINUSE',
    `the kernel has a socket on one of the ports (${socket}), which would hear nothing any more`,
    {
      advice: 'take other ports, and keep the kernel from them (net.ipv4.ip_local_reserved_ports)',
    },
  );
}

function undoAll(undo: readonly (() => void)[]): void {
  for (const one of [...undo].reverse()) one();
}

/** One for each protocol, and one for ICMP errors. */
function openSockets(plan: Plan, mark: number): [RawSocket, ...RawSocket[]] {
  const sockets: RawSocket[] = [];
  try {
    for (const protocol of [...plan.protocols, plan.address.family === 4 ? ICMP : ICMPV6])
      sockets.push(openSocket(plan, protocol, mark));
    return sockets as [RawSocket, ...RawSocket[]];
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
}

function openSocket(plan: Plan, protocol: number, mark: number): RawSocket {
  const { system, address, ports, receiveBuffer } = plan;
  const socket = new RawSocket(address.family, protocol);
  try {
    const isTransport = protocol === TCP || protocol === UDP;
    socket.filter(system, isTransport ? portFilter(address, ports) : errorFilter(address, ports));
    if (plan.isBound) socket.setText(SOL_SOCKET, SO_BINDTODEVICE, plan.interfaceName);
    if (mark !== 0) socket.set(SOL_SOCKET, SO_MARK, mark);
    if (address.family === 4) socket.set(IPPROTO_IP, IP_HDRINCL, 1);
    else {
      socket.set(IPPROTO_IPV6, IPV6_HDRINCL, 1);
      if (isTransport) socket.set(IPPROTO_IPV6, IPV6_CHECKSUM, CHECKSUM_AT[protocol] as number);
    }
    setReceiveBuffer(socket, receiveBuffer);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Beyond net.core.rmem_max, where we may (CAP_NET_ADMIN). The kernel doubles what it is told. */
function setReceiveBuffer(socket: RawSocket, bytes: number): void {
  try {
    socket.set(SOL_SOCKET, SO_RCVBUFFORCE, bytes >>> 1);
  } catch {
    socket.set(SOL_SOCKET, SO_RCVBUF, bytes >>> 1);
  }
}

function readOptions(options: RawOptions): Plan {
  const wrong = wrongNames('openRaw', options, NAMES);
  if (wrong !== undefined) throw wrongRawArgument(wrong.message);
  const { guard = 'auto', protocols = ['tcp'], receiveBuffer = DEFAULT_RECEIVE_BUFFER } = options;
  const address = readAddress(options.address);
  const owner = ownerOf(address);
  const interfaceName = options.interface ?? owner;
  if (interfaceName === undefined) {
    throw new RawError('EADDRNOTAVAIL', `no interface of this machine that is up has ${address}`, {
      advice: 'name the interface on which the kernel is to take packets for it ({ interface })',
    });
  }
  if (owner !== undefined && options.ports === undefined) {
    throw wrongRawArgument(`ports are missing: the kernel has ${address}, too, and keeps those that are not named`);
  }
  if (!['auto', 'nftables', 'iptables', 'none'].includes(guard)) {
    throw wrongRawArgument(`wrong guard ${shown(guard)}: nftables, iptables, none or auto is taken`);
  }
  if (!(Number.isInteger(receiveBuffer) && receiveBuffer >= 4096 && receiveBuffer <= 1 << 30)) {
    throw wrongRawArgument(`wrong receiveBuffer ${shown(receiveBuffer)}: 4096 bytes to 1 GiB are taken`);
  }
  return {
    system: tunSystem(),
    address,
    ports: readPorts(options.ports ?? ALL_PORTS),
    protocols: readProtocols(protocols),
    interfaceName,
    isBound: options.interface !== undefined,
    isForeign: owner === undefined,
    guard,
    receiveBuffer,
  };
}

function readAddress(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address !== undefined && !address.isUnspecified && !address.isMulticast && !address.isBroadcast) return address;
  throw wrongRawArgument(
    `wrong address ${JSON.stringify(text)}: one address of one host is taken, without the bits of its network`,
  );
}

function readProtocols(names: readonly string[]): number[] {
  const numbers = names.map((name) => ({ tcp: TCP, udp: UDP })[name]);
  if (names.length >= 1 && !numbers.includes(undefined)) return [...new Set(numbers as number[])].sort((a, b) => a - b);
  throw wrongRawArgument(`wrong protocols ${JSON.stringify(names)}: some of 'tcp' and 'udp' are taken`);
}

/** The name of the interface that has the address; undefined: none has. */
function ownerOf(address: IpAddress): string | undefined {
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    if (addresses.some((one) => IpAddress.parse(one.address)?.equals(address))) return name;
  }
  return undefined;
}

function asRawError({ code, message }: TunError): RawError {
  return new RawError(code, message, { advice: code === 'EPERM' ? PRIVILEGE_ADVICE : undefined });
}
