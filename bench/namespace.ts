/** The network of a benchmark: addresses, routes and a veth pair in namespaces that vanish with their processes. No program is needed. */
import { setSysctl } from '../src/link/tun-namespace.ts';
import { Netlink } from '../src/link/tun-netlink.ts';
import { NetlinkMessage } from '../src/link/tun-netlink-message.ts';
import { tunSystem } from '../src/link/tun-system.ts';
import { type Prefix, parsePrefix } from '../src/wire/address.ts';

/** Where the services are. */
export const PEER_ADDRESS = '10.9.0.2';
/** The load generator's. */
export const SOURCES = Array.from({ length: 20 }, (_, i) => `10.9.0.${11 + i}`);

const NETWORK = '10.9.0.0/24';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const RTM_NEWLINK = 16;
/** NLM_F_REQUEST, ACK, CREATE, EXCL. */
const FLAGS = 0x1 | 0x4 | 0x400 | 0x200;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_PID = 19;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFINFOMSG_LENGTH = 16;
const NETLINK_HEADER = 16;

/** A pair `bench0`, here, and `bench1`, in the namespace of a process. */
export function createVeth(pid: number): void {
  const system = tunSystem();
  const fd = system.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  const reply = new Uint8Array(4096);
  try {
    const message = new NetlinkMessage(RTM_NEWLINK, FLAGS).zeros(IFINFOMSG_LENGTH).text(IFLA_IFNAME, 'bench0');
    const peer = attributes((inner) =>
      inner.zeros(IFINFOMSG_LENGTH).text(IFLA_IFNAME, 'bench1').word(IFLA_NET_NS_PID, pid),
    );
    const data = attributes((inner) => inner.bytes(VETH_INFO_PEER, peer));
    message.bytes(
      IFLA_LINKINFO,
      attributes((inner) => inner.text(IFLA_INFO_KIND, 'veth').bytes(IFLA_INFO_DATA, data)),
    );
    system.send(fd, system.addressOf(message.finish(1)), message.length, 0);
    const length = system.recv(fd, system.addressOf(reply), reply.length, 0);
    const errno = length < 20 ? system.errno() : -new DataView(reply.buffer).getInt32(16, true);
    if (errno !== 0) throw new Error(`cannot make a veth pair: errno ${errno}`);
  } finally {
    system.close(fd);
  }
}

/** What `fill` puts into a message, without its header. */
function attributes(fill: (message: NetlinkMessage) => NetlinkMessage): Uint8Array {
  const message = fill(new NetlinkMessage(0, 0));
  return message.finish(0).slice(NETLINK_HEADER, message.length);
}

/**
 * Puts an interface of the calling thread's namespace up, with its address and the load generator's, and the kernel's TCP on
 * CUBIC: a namespace may inherit BBR, which paces.
 */
export function prepareNamespace(name: string, address: string): void {
  const netlink = new Netlink(tunSystem());
  try {
    const found = netlink.byName(name);
    if (found === undefined) throw new Error(`there is no interface ${name}`);
    setSysctl('net.ipv4.ip_local_port_range', '1024 65535');
    netlink.change(found.index, { up: true });
    netlink.addAddress(found.index, prefix(address));
    if (!address.startsWith(PEER_ADDRESS)) {
      for (const source of SOURCES) netlink.addAddress(found.index, prefix(`${source}/24`));
    }
    netlink.addRoute(found.index, prefix(NETWORK), 'cubic');
  } finally {
    netlink.close();
  }
}

function prefix(text: string): Prefix {
  return parsePrefix(text) as Prefix;
}
