/** IPAddr: an address of a host, with the zone that it may need (Go: net.IPAddr). */
import { shown } from '../arguments.ts';
import { IpAddress } from '../wire/address.ts';

export class IPAddr {
  readonly ip: IpAddress;
  /** The interface that an IPv6 address is on: `eth0`; empty: none named. */
  readonly zone: string;

  /** @throws TypeError when they are something else */
  constructor(ip: IpAddress, zone = '') {
    if (!(ip instanceof IpAddress)) throw new TypeError(`IPAddr: ip must be an IpAddress, got ${shown(ip)}`);
    if (typeof zone !== 'string') throw new TypeError(`IPAddr: zone must be a string, got ${shown(zone)}`);
    this.ip = ip;
    this.zone = zone;
  }

  network(): string {
    return 'ip';
  }

  /** `10.9.0.1`, `fe80::1%eth0`. */
  toString(): string {
    return this.zone === '' ? `${this.ip}` : `${this.ip}%${this.zone}`;
  }
}

/** Reads a literal, for IPv6 with a zone if need be; undefined for all else. Only the forms of IPv6 have zones, also the mapped one, and an empty one is none. As Go's netip.ParseAddr. */
export function parseIPAddr(text: string): IPAddr | undefined {
  const percent = text.indexOf('%');
  if (percent < 0) {
    const ip = IpAddress.parse(text);
    return ip && new IPAddr(ip);
  }
  const ip = IpAddress.parse(text.slice(0, percent));
  const zone = text.slice(percent + 1);
  return ip === undefined || zone === '' || !text.includes(':') ? undefined : new IPAddr(ip, zone);
}
