/** An address and a port: what the ends of TCP and of UDP have in common. */
import { shown } from '../arguments.ts';
import { IpAddress } from '../wire/address.ts';
import { ParseError } from './errors.ts';
import { checkText, joinHostPort } from './host-port.ts';
import type { Addr } from './op-error.ts';

export abstract class EndAddr implements Addr {
  /** undefined: no address named, which means this host. */
  readonly ip: IpAddress | undefined;
  /** 0..65535. */
  readonly port: number;
  /** The scope of an IPv6 address: `eth0`; empty: none. */
  readonly zone: string;

  /**
   * `ip` may be a literal.
   * @throws ParseError when it is a text that is no address
   * @throws TypeError for an `ip` or a `zone` of another type; RangeError when the port is not an integer from 0 to 65535
   */
  constructor(ip: IpAddress | string | undefined, port: number, zone = '') {
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new RangeError(`${new.target.name}: port must be an integer from 0 to 65535, got ${shown(port)}`);
    }
    if (ip !== undefined && typeof ip !== 'string' && !(ip instanceof IpAddress))
      throw new TypeError(`${new.target.name}: ip must be an IpAddress, a literal or undefined, got ${shown(ip)}`);
    checkText(`${new.target.name}: zone`, zone);
    this.ip = typeof ip === 'string' ? parseLiteral(ip) : ip;
    this.port = port;
    this.zone = zone;
  }

  /** `tcp` or `udp`. */
  abstract network(): string;

  /** `10.9.0.1:80`, `[fe80::1%eth0]:80`, `:80`. */
  toString(): string {
    if (this.ip === undefined) return joinHostPort('', this.port);
    return joinHostPort(this.zone === '' ? `${this.ip}` : `${this.ip}%${this.zone}`, this.port);
  }

  equals(other: EndAddr): boolean {
    if (!(other instanceof EndAddr) || this.port !== other.port || this.zone !== other.zone) return false;
    if (this.ip === undefined || other.ip === undefined) return this.ip === other.ip;
    return this.ip.equals(other.ip);
  }

  /** No address, 0.0.0.0 or ::. */
  get isWildcard(): boolean {
    return this.ip === undefined || this.ip.isUnspecified;
  }
}

function parseLiteral(text: string): IpAddress {
  const ip = IpAddress.parse(text);
  if (ip === undefined) throw new ParseError('IP address', text);
  return ip;
}
