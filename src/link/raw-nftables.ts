/**
 * A rule of nf_tables by netlink: packets for an address and its ports are marked as another host's, before the kernel routes them.
 *
 * They still go where a raw socket gets its copy; then the kernel's TCP drops what is another host's without a word (tcp_v4_rcv, tcp_v6_rcv), and
 * no ICMP error is sent about it (icmp_send, icmp6_send). So no RST and no "port unreachable" arises, and what the kernel sends is not touched.
 * In the words of nft(8): `ip daddr ADDRESS tcp dport FIRST-LAST meta pkttype set other`.
 *
 * The table is owned by its netlink socket (Linux 5.12): it vanishes when the socket is closed, however the process ends.
 */
import type { IpAddress } from '../wire/address.ts';
import type { PortRange } from './raw-ports.ts';
import type { TunSystem } from './tun-system.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_NETFILTER = 12;
const MSG_DONTWAIT = 0x40;

const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
const NFTABLES = 10;
const NEW_TABLE = (NFTABLES << 8) | 0;
const NEW_CHAIN = (NFTABLES << 8) | 3;
const NEW_RULE = (NFTABLES << 8) | 6;
const NLMSG_ERROR = 2;
const NLM_F_REQUEST = 0x1;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;

const NFPROTO_IPV4 = 2;
const NFPROTO_IPV6 = 10;
const OWNED = 0x2;
const PRE_ROUTING = 0;
/** Behind the others' rules of that hook. */
const PRIORITY = 300;
const CHAIN = 'prerouting';

const REGISTER = 1;
const META_L4PROTO = 16;
const META_PKTTYPE = 19;
const PACKET_OTHERHOST = 3;
const NETWORK_HEADER = 1;
const TRANSPORT_HEADER = 2;
const EQUAL = 0;
const AT_MOST = 3;
const AT_LEAST = 5;

export interface Table {
  close(): void;
}

/**
 * @param protocols IP protocol numbers with ports
 * @returns the table, or the errno with which the kernel refused it
 */
export function openTable(
  system: TunSystem,
  name: string,
  address: IpAddress,
  ports: readonly PortRange[],
  protocols: readonly number[],
): Table | number {
  const fd = system.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return system.errno();
  const family = address.family === 4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
  const rules = protocols.flatMap((protocol) => ports.map((range) => rule(name, address, protocol, range)));
  const batch = join([
    message(BATCH_BEGIN, 0, 0, new Uint8Array(0), NFTABLES),
    message(NEW_TABLE, NLM_F_CREATE, family, join([text(1, name), word(2, OWNED)])),
    message(NEW_CHAIN, NLM_F_CREATE, family, chain(name)),
    ...rules.map((body) => message(NEW_RULE, NLM_F_CREATE | NLM_F_APPEND, family, body)),
    message(BATCH_END, 0, 0, new Uint8Array(0), NFTABLES),
  ]);
  const errno = transact(system, fd, batch);
  if (errno === 0) return { close: () => void system.close(fd) };
  system.close(fd);
  return errno;
}

/** Sends the batch, all of which holds or nothing; returns the first errno of its answers, 0: done. */
function transact(system: TunSystem, fd: number, batch: Uint8Array): number {
  if (system.send(fd, system.addressOf(batch), batch.length, 0) < 0) return system.errno();
  const reply = new Uint8Array(32_768);
  const view = new DataView(reply.buffer);
  // The kernel has answered when send returns, and only what it refused.
  for (;;) {
    const length = system.recv(fd, system.addressOf(reply), reply.length, MSG_DONTWAIT);
    if (length < 20) return 0;
    const errno = view.getUint16(4, true) === NLMSG_ERROR ? -view.getInt32(16, true) : 0;
    if (errno !== 0) return errno;
  }
}

function chain(table: string): Uint8Array {
  const hook = join([word(1, PRE_ROUTING), word(2, PRIORITY)]);
  return join([text(1, table), text(3, CHAIN), nest(4, hook), text(7, 'filter')]);
}

function rule(table: string, address: IpAddress, protocol: number, { first, last }: PortRange): Uint8Array {
  const ipv4 = address.family === 4;
  const destination = bytesOf(ipv4 ? [address.w3] : [address.w0, address.w1, address.w2, address.w3]);
  const expressions = [
    expression('meta', [word(1, REGISTER), word(2, META_L4PROTO)]),
    compare(EQUAL, new Uint8Array([protocol])),
    payload(NETWORK_HEADER, ipv4 ? 16 : 24, destination.length),
    compare(EQUAL, destination),
    payload(TRANSPORT_HEADER, 2, 2),
    compare(AT_LEAST, new Uint8Array([first >> 8, first])),
    compare(AT_MOST, new Uint8Array([last >> 8, last])),
    expression('immediate', [word(1, REGISTER), value(2, new Uint8Array([PACKET_OTHERHOST]))]),
    expression('meta', [word(2, META_PKTTYPE), word(3, REGISTER)]),
  ];
  return join([text(1, table), text(2, CHAIN), nest(4, join(expressions))]);
}

function payload(base: number, offset: number, length: number): Uint8Array {
  return expression('payload', [word(1, REGISTER), word(2, base), word(3, offset), word(4, length)]);
}

function compare(operator: number, operand: Uint8Array): Uint8Array {
  return expression('cmp', [word(1, REGISTER), word(2, operator), value(3, operand)]);
}

function expression(name: string, attributes: readonly Uint8Array[]): Uint8Array {
  return nest(1, join([text(1, name), nest(2, join(attributes))]));
}

function value(type: number, bytes: Uint8Array): Uint8Array {
  return nest(type, attribute(1, bytes));
}

function nest(type: number, inside: Uint8Array): Uint8Array {
  return attribute(type | 0x8000, inside);
}

function text(type: number, written: string): Uint8Array {
  return attribute(type, new TextEncoder().encode(`${written}\0`));
}

/** A number in network order, as all of nf_tables' are. */
function word(type: number, number: number): Uint8Array {
  return attribute(type, bytesOf([number]));
}

function attribute(type: number, inside: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + ((inside.length + 3) & ~3));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + inside.length, true);
  view.setUint16(2, type, true);
  bytes.set(inside, 4);
  return bytes;
}

function message(type: number, flags: number, family: number, body: Uint8Array, resource = 0): Uint8Array {
  const bytes = new Uint8Array(20 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, NLM_F_REQUEST | flags, true);
  view.setUint8(16, family);
  view.setUint16(18, resource);
  bytes.set(body, 20);
  return bytes;
}

function bytesOf(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (const [i, one] of words.entries()) view.setInt32(4 * i, one);
  return bytes;
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
