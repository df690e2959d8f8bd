/** Where the two hosts of a scenario are. */
import type { IpAddress } from '../../src/wire/address.ts';
import { type Family, inFamily } from '../support/wire-family.ts';
import type { SideName } from './scenario.ts';

const ADDRESS = { client: '10.0.0.1', server: '10.0.0.2' } as const;

export function addressOf(name: SideName, family: Family): IpAddress {
  return inFamily(ADDRESS[name], family);
}

export function peerOf(name: SideName, family: Family): IpAddress {
  return addressOf(name === 'client' ? 'server' : 'client', family);
}

/** Bits of the network that both are on. */
export function bitsOf(family: Family): number {
  return family === '6' ? 120 : 24;
}
