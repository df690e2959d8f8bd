/** `--ip_version`: which family a script's packets have, and which its sockets. */
import { AF_INET, AF_INET6 } from '../socket/constants.ts';

export type IpVersion = 'ipv4' | 'ipv4-mapped-ipv6' | 'ipv6';

export interface VersionDefaults {
  /** Of the packets. */
  readonly family: 4 | 6;
  /** Of `socket(..., SOCK_STREAM, IPPROTO_TCP)`. */
  readonly domain: number;
  readonly local: string;
  readonly remote: string;
  /** The local network's prefix length. */
  readonly bits: number;
}

const IPV4 = { family: 4, local: '192.168.0.1', remote: '192.0.2.1', bits: 16 } as const;

/** packetdrill's. */
export const IP_VERSIONS: Readonly<Record<IpVersion, VersionDefaults>> = {
  ipv4: { ...IPV4, domain: AF_INET },
  'ipv4-mapped-ipv6': { ...IPV4, domain: AF_INET6 },
  ipv6: { family: 6, domain: AF_INET6, local: 'fd3d:a0b:17d6::1', remote: 'fd3d:fa7b:d17d::1', bits: 48 },
};

/** @returns undefined when there is no such version */
export function ipVersion(name: string): VersionDefaults | undefined {
  return Object.hasOwn(IP_VERSIONS, name) ? IP_VERSIONS[name as IpVersion] : undefined;
}
