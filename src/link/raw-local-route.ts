/**
 * For an address that no interface of the machine has: a route of type `local` makes the kernel take packets for it, and answer ARP for it, as
 * `ip route add local ADDRESS dev INTERFACE` does. It carries a protocol number of ours: `ip route show table local proto 116` lists these.
 */
import type { IpAddress } from '../wire/address.ts';
import { undoAtEnd } from './raw-undo.ts';
import { addressBytes, Netlink } from './tun-netlink.ts';
import { NetlinkMessage } from './tun-netlink-message.ts';
import type { TunSystem } from './tun-system.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const NLM_F_REQUEST = 0x1;
const NLM_F_ACK = 0x4;
const NLM_F_REPLACE = 0x100;
const NLM_F_CREATE = 0x400;
const RTA_DST = 1;
const RTA_OIF = 4;
const RT_TABLE_LOCAL = 255;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_HOST = 254;
const RTN_LOCAL = 2;
const PROTOCOL = 116;

/**
 * What a dead process left for the same address is taken over, and goes with ours.
 * @returns takes the route away
 * @throws TunError with what the kernel answered
 */
export function addLocalRoute(system: TunSystem, index: number, address: IpAddress): () => void {
  const netlink = new Netlink(system);
  try {
    netlink.must(request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, index, address), `cannot make ${address} local`);
  } catch (error) {
    netlink.close();
    throw error;
  }
  return undoAtEnd(() => {
    try {
      netlink.must(request(RTM_DELROUTE, 0, index, address), `cannot take back that ${address} is local`);
    } catch {
      // It went with its interface, or somebody else took it away: what was to be undone is.
    } finally {
      netlink.close();
    }
  });
}

function request(type: number, flags: number, index: number, address: IpAddress): NetlinkMessage {
  const ipv4 = address.family === 4;
  return new NetlinkMessage(type, NLM_F_REQUEST | NLM_F_ACK | flags)
    .u8(ipv4 ? AF_INET : AF_INET6)
    .u8(ipv4 ? 32 : 128)
    .u8(0)
    .u8(0)
    .u8(RT_TABLE_LOCAL)
    .u8(PROTOCOL)
    .u8(ipv4 ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE)
    .u8(RTN_LOCAL)
    .u32(0)
    .bytes(RTA_DST, addressBytes(address))
    .word(RTA_OIF, index);
}
