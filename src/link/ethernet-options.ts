/** What createEthernet takes; every wrong option is an error that names it. */
import { shown } from '../arguments.ts';
import type { Random } from '../time/random.ts';
import { HARDWARE_ADDRESS_LENGTH, isGroupAddress, parseHardwareAddress } from '../wire/ethernet.ts';
import type { Defence } from './ethernet-own.ts';
import type { AddressConflict, Link } from './link.ts';
import type { NeighbourSettings } from './neighbour-settings.ts';

export interface EthernetOptions {
  /** Our own, `02:00:5e:10:00:01` or its 6 bytes. Default: the one that the link beneath offers (a switch's port does), else a random one, locally administered. */
  readonly hardwareAddress?: string | Uint8Array | undefined;
  /** That of the link beneath by default: `tap0`. */
  readonly name?: string | undefined;
  /**
   * Whether each address is tried out before it is used, as RFC 5227 (IPv4: 4 to 7 s) and RFC 4862 (IPv6: 1 to 2 s) ask; what is sent
   * meanwhile waits. Default: true. Linux does it for IPv6 alone.
   */
  readonly duplicateDetection?: boolean | undefined;
  /**
   * What becomes of an IPv4 address in use that another host claims (RFC 5227 2.4): `once`: it is defended, and given up when it is claimed
   * again within 10 s; `always`: it is defended and kept; `never`: it is given up. Default: `once`.
   */
  readonly defence?: Defence | undefined;
  /** Is told, at the end of the turn, that another host uses an address of ours; about one address at most every 10 s. */
  readonly onConflict?: ((conflict: AddressConflict) => void) | undefined;
  /** What differs from Linux's settings for neighbours. */
  readonly neighbour?: Partial<NeighbourSettings> | undefined;
  /** Where delays and the random hardware address come from. Default: the system's. */
  readonly random?: Random | undefined;
  /** In place of `random`. */
  readonly seed?: number | string | undefined;
}

/** The least MTU that IPv4 can live with: RFC 791 3.2. */
const LEAST_MTU = 68;
const DEFENCES: readonly Defence[] = ['always', 'once', 'never'];
const NAMES: readonly (keyof EthernetOptions)[] = [
  'hardwareAddress',
  'name',
  'duplicateDetection',
  'defence',
  'onConflict',
  'neighbour',
  'random',
  'seed',
];

/** @throws TypeError, RangeError */
export function checkEthernet(frames: Link, options: EthernetOptions, header: number): void {
  if (typeof frames?.attach !== 'function' || typeof frames.send !== 'function')
    throw new TypeError(
      'createEthernet: a link of frames is needed: openTap(...), the port of a switch, linkFromDuplex(...)',
    );
  if (frames.capabilities.mtu < LEAST_MTU + header)
    throw new RangeError(
      `createEthernet: ${frames.name} takes frames of ${frames.capabilities.mtu} bytes; an IP packet of ${LEAST_MTU} bytes needs ${LEAST_MTU + header}`,
    );
  for (const name of Object.keys(options))
    if (!NAMES.includes(name as keyof EthernetOptions))
      throw new TypeError(`createEthernet: there is no option ${name}; there are ${NAMES.join(', ')}`);
  const { duplicateDetection = true, defence = 'once', onConflict, random, seed, name = 'ethernet' } = options;
  if (typeof name !== 'string' || name === '') throw new TypeError('createEthernet: name must be a non-empty string');
  if (typeof duplicateDetection !== 'boolean')
    throw new TypeError('createEthernet: duplicateDetection must be a boolean');
  if (!DEFENCES.includes(defence))
    throw new TypeError(`createEthernet: defence must be one of ${DEFENCES.join(', ')}, got ${shown(defence)}`);
  if (onConflict !== undefined && typeof onConflict !== 'function')
    throw new TypeError('createEthernet: onConflict must be a function');
  if (random !== undefined && seed !== undefined)
    throw new TypeError('createEthernet: give either random or seed, not both');
}

/**
 * The address as 6 bytes; without one, a random one that is locally administered and no group's (IEEE 802, 8.2).
 * @throws TypeError when it is none of a single station
 */
export function hardwareAddressOf(given: string | Uint8Array | undefined, random: Random): Uint8Array {
  if (given === undefined) {
    const [high, low] = [random.uint32(), random.uint32()];
    return Uint8Array.of(0x02 | (high & 0xfc), high >>> 8, low >>> 24, low >>> 16, low >>> 8, low);
  }
  const bytes = typeof given === 'string' ? parseHardwareAddress(given) : given;
  const problem = `createEthernet: hardwareAddress must be the address of one station, such as '02:00:5e:10:00:01'; got ${shown(given)}`;
  if (!(bytes instanceof Uint8Array) || bytes.length !== HARDWARE_ADDRESS_LENGTH) throw new TypeError(problem);
  if (isGroupAddress((bytes[0] as number) << 8) || bytes.every((byte) => byte === 0)) throw new TypeError(problem);
  return bytes.slice();
}
