/**
 * Configuration of a network interface by rtnetlink(7): link, addresses, routes. No program (`ip`, `ifconfig`) is needed.
 *
 * A request is answered within the call that sends it, so everything here is synchronous. A socket acts in the
 * network namespace it was opened in, whatever its thread enters afterwards.
 */
import type { IpAddress, Prefix } from '../wire/address.ts';
import { HARDWARE_ADDRESS_LENGTH, hardwareAddressText } from '../wire/ethernet.ts';
import { systemError } from './tun-error.ts';
import { NetlinkMessage } from './tun-netlink-message.ts';
import type { TunSystem } from './tun-system.ts';

const AF_NETLINK = 16;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;

const NLMSG_ERROR = 2;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;

const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
const NLM_F_REPLACE = 0x100;
const NLM_F_CREATE = 0x400;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_TXQLEN = 13;
const IFLA_STATS64 = 23;
const IFF_UP = 1;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_F_NODAD = 0x02;

const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_METRICS = 8;
const RTAX_CC_ALGO = 16;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const RTN_LOCAL = 2;

/** How often, and how many ms apart, the kernel is asked whether it is ready for an IPv6 address: half a second in all. */
const LOCAL_ASKS = 1000;
const LOCAL_PAUSE = 0.5;

/** What the kernel says of an interface. */
export interface InterfaceState {
  readonly index: number;
  readonly name: string;
  /** `02:00:5e:10:00:01` of the kernel's end of a TAP device; a TUN device has none. */
  readonly hardwareAddress: string | undefined;
  /** Bytes. */
  readonly mtu: number;
  readonly up: boolean;
  /** Packets that may wait for the reader of a TUN device. */
  readonly txQueueLength: number;
  readonly counters: InterfaceCounters;
}

/** As the kernel sees it: it receives (`rx`) what a TUN link sends. */
export interface InterfaceCounters {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxErrors: number;
  readonly txErrors: number;
  readonly rxDropped: number;
  /** Packets for the link that found its queue full, or nobody attached. */
  readonly txDropped: number;
}

/** What to change about an interface; what is left out stays. */
interface InterfaceChange {
  readonly mtu?: number;
  readonly up?: boolean;
  readonly txQueueLength?: number;
}

export class Netlink {
  readonly #system: TunSystem;
  readonly #fd: number;
  readonly #reply = new Uint8Array(32_768);
  readonly #replyAddress: number;
  #sequence = 0;

  /** @throws TunError when the socket cannot be had */
  constructor(system: TunSystem) {
    this.#system = system;
    this.#fd = system.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (this.#fd < 0) throw systemError('cannot open a netlink socket', system.errno());
    this.#replyAddress = system.addressOf(this.#reply);
  }

  close(): void {
    this.#system.close(this.#fd);
  }

  /** The interface of that name; undefined: there is none. */
  byName(name: string): InterfaceState | undefined {
    const message = new NetlinkMessage(RTM_GETLINK, NLM_F_REQUEST);
    message.zeros(16).text(IFLA_IFNAME, name);
    return this.#request(message) === 0 ? this.#interfaceState() : undefined;
  }

  /** @throws TunError ENODEV when it is gone */
  byIndex(index: number): InterfaceState {
    const message = new NetlinkMessage(RTM_GETLINK, NLM_F_REQUEST);
    message.u32(0).u32(index).zeros(8);
    this.must(message, `cannot read the state of interface ${index}`);
    return this.#interfaceState();
  }

  /** @throws TunError with what the kernel answered (EPERM, EINVAL for an mtu it does not take, ...) */
  change(index: number, change: InterfaceChange): void {
    const message = new NetlinkMessage(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK);
    message.u32(0).u32(index);
    message.u32(change.up === true ? IFF_UP : 0).u32(change.up === undefined ? 0 : IFF_UP);
    if (change.mtu !== undefined) message.word(IFLA_MTU, change.mtu);
    if (change.txQueueLength !== undefined) message.word(IFLA_TXQLEN, change.txQueueLength);
    this.must(message, `cannot change interface ${index} (${JSON.stringify(change)})`);
  }

  /** Gives the interface an address, without waiting for duplicate address detection. It has it already: nothing happens. */
  addAddress(index: number, prefix: Prefix): void {
    this.#address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, prefix, 'give', 'to');
    if (prefix.address.family === 6 && this.byIndex(index).up) this.#untilLocal(prefix.address);
  }

  removeAddress(index: number, prefix: Prefix): void {
    this.#address(RTM_DELADDR, 0, index, prefix, 'take', 'from');
  }

  /**
   * Sends what goes to the prefix (its host bits are cleared) to the interface. A route that is there already is replaced.
   * @param congestionControl what the kernel's TCP uses on this route; unlike the sysctl of a namespace it takes every algorithm that is loaded
   */
  addRoute(index: number, prefix: Prefix, congestionControl?: string): void {
    const ipv4 = prefix.address.family === 4;
    const message = new NetlinkMessage(RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
    message
      .u8(ipv4 ? AF_INET : AF_INET6)
      .u8(prefix.bits)
      .u8(0)
      .u8(0);
    message
      .u8(RT_TABLE_MAIN)
      .u8(RTPROT_BOOT)
      .u8(ipv4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE)
      .u8(RTN_UNICAST)
      .u32(0);
    message.bytes(RTA_DST, networkBytes(prefix)).word(RTA_OIF, index);
    if (congestionControl !== undefined) message.nestedText(RTA_METRICS, RTAX_CC_ALGO, congestionControl);
    this.must(message, `cannot route ${prefix.address}/${prefix.bits} to interface ${index}`);
  }

  #address(type: number, flags: number, index: number, prefix: Prefix, verb: string, preposition: string): void {
    const ipv4 = prefix.address.family === 4;
    const message = new NetlinkMessage(type, NLM_F_REQUEST | NLM_F_ACK | flags);
    message
      .u8(ipv4 ? AF_INET : AF_INET6)
      .u8(prefix.bits)
      .u8(ipv4 ? 0 : IFA_F_NODAD)
      .u8(0)
      .u32(index);
    const bytes = addressBytes(prefix.address);
    message.bytes(IFA_LOCAL, bytes).bytes(IFA_ADDRESS, bytes);
    this.must(message, `cannot ${verb} ${prefix.address}/${prefix.bits} ${preposition} interface ${index}`);
  }

  /**
   * Waits until the kernel takes what is sent to an IPv6 address of its own. It makes the route for that behind the answer to RTM_NEWADDR, a few ms
   * later, and drops what comes before.
   */
  #untilLocal(address: IpAddress): void {
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let asked = 0; asked < LOCAL_ASKS && !this.#isLocal(address); asked++) Atomics.wait(pause, 0, 0, LOCAL_PAUSE);
  }

  #isLocal(address: IpAddress): boolean {
    const message = new NetlinkMessage(RTM_GETROUTE, NLM_F_REQUEST);
    message.u8(AF_INET6).u8(128).u8(0).u8(0).zeros(8).bytes(RTA_DST, addressBytes(address));
    // `rtm_type`, behind the header of 16 bytes.
    return this.#request(message) === 0 && this.#reply[16 + 7] === RTN_LOCAL;
  }

  /** Sends a request. @throws TunError beginning with `what`, with what the kernel answered */
  must(message: NetlinkMessage, what: string): void {
    const errno = this.#request(message);
    if (errno !== 0) throw systemError(what, errno);
  }

  /** Sends the request and reads its answer into `#reply`; returns the errno in it, 0: done, or the object that was asked for. */
  #request(message: NetlinkMessage): number {
    const sequence = ++this.#sequence;
    const bytes = message.finish(sequence);
    if (this.#system.send(this.#fd, this.#system.addressOf(bytes), message.length, 0) < 0) return this.#system.errno();
    for (;;) {
      const length = this.#system.recv(this.#fd, this.#replyAddress, this.#reply.length, 0);
      if (length < 0) return this.#system.errno();
      const view = new DataView(this.#reply.buffer, 0, length);
      if (length < 16 || view.getUint32(8, true) !== sequence) continue;
      return view.getUint16(4, true) === NLMSG_ERROR ? -view.getInt32(16, true) : 0;
    }
  }

  /** Reads the RTM_NEWLINK message in `#reply`. */
  #interfaceState(): InterfaceState {
    const view = new DataView(this.#reply.buffer, 0, new DataView(this.#reply.buffer).getUint32(0, true));
    const attributes = readAttributes(view, 32);
    const number = (type: number) => attributes.get(type)?.getUint32(0, true) ?? 0;
    const name = attributes.get(IFLA_IFNAME);
    return {
      index: view.getInt32(20, true),
      name: name === undefined ? '' : readText(name),
      hardwareAddress: readHardwareAddress(attributes.get(IFLA_ADDRESS)),
      mtu: number(IFLA_MTU),
      up: (view.getUint32(24, true) & IFF_UP) !== 0,
      txQueueLength: number(IFLA_TXQLEN),
      counters: readCounters(attributes.get(IFLA_STATS64)),
    };
  }
}

/** The attributes of a message from `at` on: type, and the value's bytes. */
function readAttributes(view: DataView<ArrayBuffer>, at: number): Map<number, DataView> {
  const attributes = new Map<number, DataView>();
  while (at + 4 <= view.byteLength) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > view.byteLength) break;
    attributes.set(
      view.getUint16(at + 2, true) & 0x3fff,
      new DataView(view.buffer, view.byteOffset + at + 4, length - 4),
    );
    at += (length + 3) & ~3;
  }
  return attributes;
}

function readText(value: DataView): string {
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function readHardwareAddress(value: DataView | undefined): string | undefined {
  return value?.byteLength === HARDWARE_ADDRESS_LENGTH
    ? hardwareAddressText(value.getUint16(0), value.getInt32(2))
    : undefined;
}

/** `struct rtnl_link_stats64`: eight counters of 64 bits first, in this order. */
function readCounters(value: DataView | undefined): InterfaceCounters {
  const at = (i: number) =>
    value === undefined || value.byteLength < 8 * i + 8 ? 0 : Number(value.getBigUint64(8 * i, true));
  return {
    rxPackets: at(0),
    txPackets: at(1),
    rxBytes: at(2),
    txBytes: at(3),
    rxErrors: at(4),
    txErrors: at(5),
    rxDropped: at(6),
    txDropped: at(7),
  };
}

/** As it travels: 4 or 16 bytes. */
export function addressBytes(address: IpAddress): Uint8Array {
  const bytes = new Uint8Array(address.family === 4 ? 4 : 16);
  const view = new DataView(bytes.buffer);
  const words = address.family === 4 ? [address.w3] : [address.w0, address.w1, address.w2, address.w3];
  for (const [i, word] of words.entries()) view.setInt32(4 * i, word);
  return bytes;
}

function networkBytes(prefix: Prefix): Uint8Array {
  const bytes = addressBytes(prefix.address);
  for (let i = 0; i < bytes.length; i++) {
    const kept = Math.min(Math.max(prefix.bits - 8 * i, 0), 8);
    bytes[i] = (bytes[i] as number) & (0xff00 >>> kept);
  }
  return bytes;
}
