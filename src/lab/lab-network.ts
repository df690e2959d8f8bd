/** The lab's network: its two addresses, and whether the machine uses them already. */
import { readFileSync } from 'node:fs';
import { endianness, networkInterfaces } from 'node:os';
import { IpAddress, inPrefix, type Prefix, parsePrefix } from '../wire/address.ts';
import { LabError } from './lab-error.ts';

/** Both ends as `10.9.0.1`, and as the interfaces get them, `10.9.0.1/24`. */
export interface LabNetwork {
  /** The tunstack host. */
  readonly host: string;
  /** The other end: the kernel, or a second tunstack host. */
  readonly peer: string;
  readonly bits: number;
}

export const DEFAULT_ADDRESS = '10.9.0.2/24';

/** Routes shorter than this are a default route in disguise (0.0.0.0/1 and 128.0.0.0/1 of a VPN): they give way. */
const SHORTEST_ROUTE = 8;

/**
 * Reads the tunstack host's address; the other end gets the first address of the network, or the second when that is taken.
 * @param text `10.9.0.2/24`; without a length it is 24
 * @returns the reason when it is none
 */
export function readNetwork(text: string): LabNetwork | string {
  const prefix = parsePrefix(text.includes('/') ? text : `${text}/24`);
  if (prefix === undefined || prefix.address.family !== 4)
    return `${JSON.stringify(text)} is no IPv4 address with the length of its network, as ${DEFAULT_ADDRESS}`;
  const { address, bits } = prefix;
  if (bits < SHORTEST_ROUTE || bits > 30)
    return `a network of length ${bits} is of no use here: ${SHORTEST_ROUTE} to 30 is`;
  const mask = -1 << (32 - bits);
  const [network, broadcast] = [address.w3 & mask, address.w3 | ~mask];
  if (address.w3 === network || address.w3 === broadcast || address.isLoopback || address.isMulticast || network === 0)
    return `${address}/${bits} is no address that a host can have`;
  const peer = IpAddress.v4(address.w3 === network + 1 ? network + 2 : network + 1);
  return { host: `${address}`, peer: `${peer}`, bits };
}

/** @throws LabError when an address or a route of this machine lies in the lab's network, or around it */
export function mustBeFree({ host, bits }: LabNetwork): void {
  const network: Prefix = { address: IpAddress.parse(host) as IpAddress, bits };
  const found = usedNetworks().find(({ prefix }) => overlap(prefix, network));
  if (found === undefined) return;
  throw new LabError(
    `${host}/${bits} collides with ${found.what}: end what uses it (another lab?), or choose another network with --address, as in --address 172.31.99.2/24`,
  );
}

interface Used {
  readonly prefix: Prefix;
  readonly what: string;
}

function usedNetworks(): Used[] {
  const used: Used[] = [];
  for (const [name, addresses] of Object.entries(networkInterfaces())) {
    for (const { cidr } of addresses ?? []) {
      const prefix = cidr === null ? undefined : parsePrefix(cidr);
      if (prefix !== undefined) used.push({ prefix, what: `the address ${cidr} of ${name}` });
    }
  }
  return [...used, ...routes()];
}

/** /proc/net/route: name, destination, gateway, flags, three counters, mask, the addresses as host-order hexadecimal. */
function routes(): Used[] {
  let table: string;
  try {
    table = readFileSync('/proc/net/route', 'utf8');
  } catch {
    return [];
  }
  const lines = table.trim().split('\n').slice(1);
  return lines.flatMap((line) => {
    const [name, destination, , , , , , mask] = line.trim().split(/\s+/);
    if (destination === undefined || mask === undefined) return [];
    const prefix = { address: IpAddress.v4(readWord(destination)), bits: ones(readWord(mask)) };
    return prefix.bits < SHORTEST_ROUTE
      ? []
      : [{ prefix, what: `the route to ${prefix.address}/${prefix.bits} over ${name}` }];
  });
}

/** The kernel prints the word as the machine holds it. */
function readWord(hexadecimal: string): number {
  const word = Number.parseInt(hexadecimal, 16);
  if (endianness() === 'BE') return word | 0;
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

function ones(mask: number): number {
  return Math.clz32(~mask);
}

function overlap(a: Prefix, b: Prefix): boolean {
  return inPrefix(a.address, b.address, Math.min(a.bits, b.bits));
}
